// What the runs page shows, read from its address and written back to it.

import { computed, signal } from "@preact/signals";
import { patch, path, query } from "../../app/router.ts";
import { firstColumns, orderTerm, type Summary } from "../../lib/columns.ts";
import type { Frozen } from "../../lib/frozen.ts";
import { both, filterOf } from "../../lib/query.ts";
import { list, readList } from "../../lib/url.ts";
import type { Ask, View } from "../../data/source.ts";

export interface Sort {
  id: string;
  descending: boolean;
}

export type Layout = "table" | "split" | "charts";

export const experimentIds = computed(() => (path.value[1] ?? "").split(",").filter(Boolean));
export const filterText = computed(() => query.value["q"] ?? "");
/** The name of a frozen link, and what it keeps when that has been read. */
export const frozenKey = computed(() => query.value["frozen"] ?? "");
export const frozen = signal<(Frozen & { key: string; filter: string }) | null>(null);
// Of a frozen link all runs are shown, the deleted ones too.
export const view = computed<View>(() => (frozenKey.value ? 3 : query.value["view"] === "deleted" ? 2 : 1));
export const since = computed(() => query.value["since"] ?? "");
export const layout = computed<Layout>(() => {
  const found = query.value["layout"];
  return found === "split" || found === "charts" ? found : "table";
});
export const groupBy = computed(() => readList(query.value["group"]));
export const pinned = computed(() => readList(query.value["pin"]));
export const chosenColumns = computed(() => (query.value["cols"] === undefined ? null : readList(query.value["cols"])));
export const selection = computed(() => readList(query.value["sel"]));
export const selected = computed(() => new Set(selection.value));
export const flat = computed(() => query.value["flat"] === "1");
export const opened = computed(() => readList(query.value["open"]));

export const sorts = computed<Sort[]>(() =>
  readList(query.value["sort"]).map((one) => (one.startsWith("-") ? { id: one.slice(1), descending: true } : { id: one, descending: false })),
);

export const widths = computed<Record<string, number>>(() => {
  const found: Record<string, number> = {};
  for (const one of readList(query.value["w"])) {
    const cut = one.lastIndexOf("=");
    const width = Number(one.slice(cut + 1));
    if (cut > 0 && width >= 48 && width <= 2000) found[one.slice(0, cut)] = width;
  }
  return found;
});

/** Widths while an edge is being dragged: the address follows when it is let go. */
export const dragWidths = signal<Record<string, number>>({});

/** The run under the pointer, in whichever table or chart. */
export const hovered = signal<string | null>(null);

const HOURS: Record<string, number> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720, "1y": 8760 };
export const SINCE = [["", "All time"], ["1h", "Last hour"], ["24h", "Last 24 hours"], ["7d", "Last 7 days"], ["30d", "Last 30 days"], ["1y", "Last year"]] as const;

// Rounded, so that the question stays the same for a while and answers can be kept.
function timeFilter(text: string): string {
  const hours = HOURS[text];
  if (!hours) return "";
  const minute = 60_000;
  return `attributes.start_time >= ${Math.floor((Date.now() - hours * 3_600_000) / minute) * minute}`;
}

export const where = computed(() => {
  const asked = both(filterOf(filterText.value), timeFilter(since.value));
  const kept = frozenKey.value && frozen.value?.key === frozenKey.value ? frozen.value.filter : "";
  return both(asked, kept);
});

export const ask = computed<Ask>(() => ({
  experiments: experimentIds.value,
  where: where.value,
  view: view.value,
  order_by: sorts.value.map((one) => orderTerm(one.id, one.descending)).filter((one) => one !== null),
}));

export function columnsOf(summary: Summary | null | undefined): string[] {
  if (chosenColumns.value) return chosenColumns.value;
  const found = summary ? firstColumns(summary, experimentIds.value.length > 1) : ["attributes.start_time", "attributes.duration"];
  // Beside charts there is room for what is measured, not for when.
  return layout.value === "split" ? found.filter((id) => id !== "attributes.start_time" && id !== "attributes.duration") : found;
}

// ── changes ──

export function setFilter(text: string): void {
  patch({ q: text || undefined }, true);
}

export function setColumns(ids: readonly string[] | null): void {
  patch({ cols: ids === null ? undefined : ids.length ? list(ids) : "none" });
}

export function setSort(id: string, descending: boolean, add: boolean): void {
  const others = add ? sorts.value.filter((one) => one.id !== id) : [];
  const all = [...others, { id, descending }];
  patch({ sort: list(all.map((one) => (one.descending ? "-" : "") + one.id)) });
}

export function setPinned(ids: readonly string[]): void {
  patch({ pin: list(ids) });
}

export function setWidth(id: string, width: number): void {
  const all = { ...widths.value, [id]: width };
  dragWidths.value = {};
  patch({ w: list(Object.entries(all).map(([key, value]) => `${key}=${value}`)) });
}

export function setGroup(ids: readonly string[]): void {
  patch({ group: list(ids) || undefined, open: undefined }, true);
}

export function select(ids: readonly string[]): void {
  patch({ sel: list(ids) || undefined });
}

export function toggle(id: string): void {
  select(selected.value.has(id) ? selection.value.filter((one) => one !== id) : [...selection.value, id]);
}

export function toggleOpen(id: string): void {
  const all = opened.value;
  patch({ open: list(all.includes(id) ? all.filter((one) => one !== id) : [...all, id]) || undefined });
}
