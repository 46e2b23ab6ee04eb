// The table of groups: runs with the same values, as mean and spread; each opens to its runs.

import { useMemo, useState } from "preact/hooks";
import { Grid } from "../../widgets/grid.tsx";
import { Failure, Skeleton } from "../../widgets/parts.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { useLoad } from "../../app/load.ts";
import { go, href } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { Aggregate, Ask, Group, Window } from "../../data/source.ts";
import { isDown, isSingle, split, type Column, type Summary } from "../../lib/columns.ts";
import { duration, num, whole, type Cell } from "../../lib/format.ts";
import { both, condition } from "../../lib/query.ts";
import { quoted } from "../../lib/columns.ts";
import { CellView, useColumns } from "./table.tsx";
import { ask, dragWidths, groupBy, opened, select, selected, selection, setSort, setWidth, sorts, toggle, toggleOpen, widths } from "./state.ts";

type Entry = { kind: "group"; group: Group; key: string } | { kind: "run"; page: Window; at: number; key: string };

/** The filter that the runs of a group pass. */
export function groupFilter(by: readonly string[], values: readonly Cell[], where: string): string {
  const parts = by.map((id, at) => {
    const [kind, key] = split(id) ?? ["tags", id];
    const value = values[at];
    if (value === null || value === undefined) return `${kind}.${quoted(key)} IS NULL`;
    const text = kind === "attributes" && typeof value === "number" ? value : String(value);
    return condition(kind, key, "=", text);
  });
  return both(where, parts.join(" AND "));
}

/** Groups in the order of the first sort: by mean for numbers, by the value that they share else. */
export function sorted(groups: readonly Group[], by: readonly string[], sort: { id: string; descending: boolean } | undefined): Group[] {
  if (!sort) return [...groups];
  const sign = sort.descending ? -1 : 1;
  const at = by.indexOf(sort.id);
  const value = (group: Group): Cell => (at >= 0 ? group.values[at] : group.cells[sort.id]?.mean);
  return [...groups].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === y) return 0;
    if (x === null || x === undefined) return 1;
    if (y === null || y === undefined) return -1;
    const [p, q] = [Number(x), Number(y)];
    if (Number.isFinite(p) && Number.isFinite(q)) return (p - q) * sign;
    return (String(x) < String(y) ? -1 : 1) * sign;
  });
}

export function GroupsTable({ summary, columnIds, directions, colors }: {
  summary: Summary | null;
  columnIds: readonly string[];
  directions: Record<string, "up" | "down">;
  colors: Map<string, string>;
}) {
  const by = groupBy.value;
  const columns = columnIds.filter((id) => !by.includes(id) && id !== "attributes.start_time" && !isSingle(id));
  const down = columns.filter((id) => id.startsWith("metrics.") && isDown(id.slice(8), directions));
  const question: Ask = { ...ask.value, order_by: [] };
  const name = JSON.stringify([question, by, columns, down]);
  const loaded = useLoad(name, (signal) => source.groups(question, by, columns, down, signal), 4000);
  const [pages, setPages] = useState<Record<string, Window>>({});
  const [focus, setFocus] = useState(-1);
  const own = useColumns(columns, summary).moving;
  // A mean and its spread need more room than a number.
  const moving = useMemo(() => own.map((one) => (one.numeric && !widths.value[one.id] ? { ...one, width: Math.max(one.width, 132) } : one)), [own]);
  const openNow = new Set(opened.value);
  const groups = useMemo(() => sorted(loaded.data?.groups ?? [], by, sorts.value[0]), [loaded.data, sorts.value]);
  const bests = useMemo(() => {
    const found = new Map<string, Group>();
    for (const id of columns.filter((one) => one.startsWith("metrics."))) {
      const less = down.includes(id);
      let best: Group | undefined;
      for (const group of groups) {
        const mean = group.cells[id]?.mean;
        if (mean === undefined) continue;
        const before = best?.cells[id]?.mean;
        if (before === undefined || (less ? mean < before : mean > before)) best = group;
      }
      if (best) found.set(id, best);
    }
    return found;
  }, [groups, name]);

  const entries: Entry[] = [];
  for (const group of groups) {
    const key = JSON.stringify(group.values);
    entries.push({ kind: "group", group, key });
    const page = openNow.has(key) ? pages[key] : undefined;
    if (page) for (let at = 0; at < page.count; at++) entries.push({ kind: "run", page, at, key: `${key}:${page.columns["attributes.run_id"]![at]}` });
  }
  const openGroup = async (group: Group, key: string) => {
    toggleOpen(key);
    if (pages[key]) return;
    const found = await source.runs({ ...ask.value, where: groupFilter(by, group.values, ask.value.where) }, columns, 0, 100);
    setPages((before) => ({ ...before, [key]: found }));
  };
  const idAt = (entry: Entry | undefined) => (entry?.kind === "run" ? (entry.page.columns["attributes.run_id"]![entry.at] as string) : null);

  if (loaded.error && !loaded.data) return <Failure error={loaded.error} retry={loaded.reload} />;
  if (!loaded.data) return <div class="pad"><Skeleton lines={10} /></div>;
  return (
    <Grid<Column>
      label="Groups of runs" count={entries.length} columns={moving} pinned={[]} leadWidth={innerWidth < 700 ? 190 : 320} headHeight={44} busy={loaded.stale}
      leadHeader={() => <span class="head-label">{by.map((id) => id.slice(id.indexOf(".") + 1)).join(" · ")}</span>}
      lead={(row) => {
        const entry = entries[row]!;
        if (entry.kind === "run") {
          const id = idAt(entry)!;
          return (
            <>
              <span class="indent" />
              <input type="checkbox" aria-label={`Select ${entry.page.columns["attributes.run_name"]![entry.at]}`} checked={selected.value.has(id)} onChange={() => toggle(id)} />
              <i class={`dot ${colors.has(id) ? "" : "off"}`} style={colors.has(id) ? { background: colors.get(id)! } : undefined} />
              <a class="run-name" tabIndex={-1} href={href(["experiments", entry.page.columns["attributes.experiment_id"]![entry.at] as string, "runs", id])}>
                {entry.page.columns["attributes.run_name"]![entry.at] ?? id}
              </a>
            </>
          );
        }
        const { group, key } = entry;
        const isOpen = openNow.has(key);
        const text = group.values.map((value) => (value === null ? "(none)" : String(value))).join(" · ");
        return (
          <>
            <button type="button" class="twist" aria-expanded={isOpen} aria-label={`${isOpen ? "Close" : "Open"} the group ${text}`} onClick={() => void openGroup(group, key)}>
              <Icon name={isOpen ? "down" : "right"} size={14} />
            </button>
            <span class="group-name" title={text}>{text}</span>
            <button type="button" class="badge" title="Select the runs of this group" onClick={() => select(group.run_ids.every((id) => selected.value.has(id)) ? selection.value.filter((id) => !group.run_ids.includes(id)) : [...new Set([...selection.value, ...group.run_ids])])}>{whole(group.n)}</button>
          </>
        );
      }}
      header={(one) => {
        const term = sorts.value.find((sort) => sort.id === one.id);
        const first = one.kind === "metrics" && !isDown(one.key, directions);
        return (
          <button type="button" class="head-button" onClick={() => setSort(one.id, term ? !term.descending : first, false)} title={one.key}>
            <span class="head-kind">{one.kind === "metrics" ? "mean ± sd" : one.kind === "params" ? "param" : ""}</span>
            <span class="head-line">
              <span class="head-label">{one.label}</span>
              {term && <span class="head-sort"><Icon name={term.descending ? "down" : "up"} size={12} /></span>}
            </span>
          </button>
        );
      }}
      cell={(row, one) => {
        const entry = entries[row]!;
        if (entry.kind === "group") return <AggregateView id={one.id} value={entry.group.cells[one.id]} best={bests.get(one.id) === entry.group} />;
        const cell = (id: string) => entry.page.columns[id]?.[entry.at] ?? null;
        return (
          <CellView
            column={one} value={cell(one.id)} down={isDown(one.key, directions)}
            row={{
              id: idAt(entry)!, name: "", status: cell("attributes.status") as string, start: cell("attributes.start_time") as number,
              end: null, experiment: "", stage: "", parent: null,
            }}
          />
        );
      }}
      rowKey={(row) => entries[row]!.key}
      rowClass={(row) => {
        const entry = entries[row]!;
        return entry.kind === "group" ? "group-row" : selected.value.has(idAt(entry)!) ? "selected" : "";
      }}
      focus={focus} onFocus={setFocus}
      onOpen={(row) => {
        const entry = entries[row]!;
        if (entry.kind === "group") void openGroup(entry.group, entry.key);
        else go(href(["experiments", entry.page.columns["attributes.experiment_id"]![entry.at] as string, "runs", idAt(entry)!]));
      }}
      onSelect={(row, how) => {
        const entry = entries[row]!;
        if (entry.kind === "run") toggle(idAt(entry)!);
        else if (!how.shift && !how.toggle) void openGroup(entry.group, entry.key);
      }}
      onResize={(one, width, done) => {
        if (done) setWidth(one.id, width);
        else dragWidths.value = { [one.id]: width };
      }}
    />
  );
}

function AggregateView({ id, value, best }: { id: string; value: Aggregate | undefined; best: boolean }) {
  if (!value || !value.n) return <span class="none">–</span>;
  if (id.startsWith("params.") && value.min !== undefined) {
    // A mean of settings is no setting that anybody tried.
    const [low, high] = [num(value.min, 3), num(value.max!, 3)];
    return <span title={`${value.n} runs`}>{low === high ? low : `${low} – ${high}`}</span>;
  }
  if (value.mean !== undefined) {
    const text = (number: number, digits: number) => (id === "attributes.duration" ? duration(number) : num(number, digits));
    const title = `mean ${value.mean}\nsd ${value.sd ?? "–"}\nmin ${value.min}\nmax ${value.max}\nn ${value.n}${value.odd ? `\n${value.odd} not finite` : ""}`;
    return (
      <span class={`metric ${best ? "best" : ""}`} title={title}>
        {best && <i style={{ transform: "scaleX(1)" }} />}
        <b>{text(value.mean, 4)}</b>
        {!!value.sd && <small> ± {text(value.sd, 2)}</small>}
      </span>
    );
  }
  const shown = value.values ?? [];
  return <span title={shown.join(", ")}>{shown.length === 1 ? shown[0] : `${value.distinct} values`}</span>;
}
