// The table of runs.

import { useMemo, useRef, useState } from "preact/hooks";
import { Grid } from "../../widgets/grid.tsx";
import { Button, Status, Time } from "../../widgets/parts.tsx";
import { Ask, MenuList, Popover, type Item } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { experimentNames } from "../../app/experiments.ts";
import type { May } from "../../app/rights.ts";
import { go, href, patch } from "../../app/router.ts";
import { column, isDown, isExtreme, isSingle, metricOf, shortName, stepOf, type Column, type MetricInfo, type Summary } from "../../lib/columns.ts";
import { source } from "../../data/index.ts";
import type { Nested } from "../../data/source.ts";
import { bytes, duration, metric, num, type Cell } from "../../lib/format.ts";
import { condition } from "../../lib/query.ts";
import { list } from "../../lib/url.ts";
import type { Rows, Row } from "./rows.ts";
import type { Place, Tree } from "./tree.ts";
import {
  dragWidths, filterText, groupBy, hovered, opened, pinned, select, selected, selection, setColumns, setFilter, setGroup, setPinned, setSort,
  setWidth, sorts, toggle, toggleOpen, widths, type Sort,
} from "./state.ts";

export const LEAD = 280;

export interface TableProps {
  rows: Rows;
  summary: Summary | null;
  columnIds: readonly string[];
  colors: Map<string, string>;
  directions: Record<string, "up" | "down">;
  onDirection: (key: string, direction: "up" | "down") => void;
  /** Why the direction of a metric cannot be set. */
  why: string | undefined;
  onColumns: (ids: string[]) => void;
  /** Rows with the children of opened parents. */
  tree: Tree;
  /** Whether children stand below their parents, rather than where the order puts them. */
  nested: boolean;
}

export function useColumns(ids: readonly string[], summary: Summary | null): { moving: Column[]; fixed: Column[] } {
  const sizes = { ...widths.value, ...dragWidths.value };
  return useMemo(() => {
    const fixedIds = pinned.value.filter((id) => ids.includes(id));
    const make = (id: string) => column(id, summary, sizes);
    return {
      fixed: fixedIds.map(make).filter((one) => one !== null),
      moving: ids.filter((id) => !fixedIds.includes(id)).map(make).filter((one) => one !== null),
    };
  }, [ids, summary, widths.value, dragWidths.value, pinned.value]);
}

export function RunsTable({ rows, summary, columnIds, colors, directions, onDirection, why, onColumns, tree, nested }: TableProps) {
  void rows.version.value;
  const { moving, fixed } = useColumns(columnIds, summary);
  const [focus, setFocus] = useState(-1);
  const anchor = useRef(-1);
  const ranges = useMemo(() => new Map((summary?.metrics ?? []).map((one) => [one.key, one])), [summary]);
  const chosen = selected.value;
  const narrow = innerWidth < 700;
  const lead = narrow ? 170 : (dragWidths.value["lead"] ?? widths.value["lead"] ?? LEAD);

  const open = (at: number) => {
    const { row } = tree.place(at);
    if (row) go(href(["experiments", row.experiment, "runs", row.id]));
  };
  const pick = (at: number, how: { shift: boolean; toggle: boolean }) => {
    const { row } = tree.place(at);
    if (!row) return;
    if (how.shift && anchor.current >= 0) {
      const [from, to] = [Math.min(anchor.current, at), Math.max(anchor.current, at)];
      const ids = new Set(selection.value);
      for (let each = from; each <= to && each - from < 1000; each++) {
        const one = tree.place(each).row;
        if (one) ids.add(one.id);
      }
      select([...ids]);
      return;
    }
    anchor.current = at;
    toggle(row.id);
  };
  const rangeFn = useMemo(() => (from: number, to: number) => rows.look(...tree.span(from, to)), [rows, tree]);
  const order = (ids: string[]) => setColumns([...fixed.map((one) => one.id), ...ids]);

  return (
    <Grid<Column>
      label="Runs" count={tree.count} columns={moving} pinned={narrow ? [] : fixed} leadWidth={lead} headHeight={44}
      busy={rows.stale.value && rows.loaded}
      leadHeader={() => <LeadHead rows={rows} />}
      lead={(at) => <Lead place={tree.place(at)} colors={colors} below={summary?.children ?? {}} nested={nested} />}
      header={(one) => <Head column={one} sorts={sorts.value} columnIds={columnIds} directions={directions} onDirection={onDirection} why={why} />}
      cell={(at, one) => <CellView column={one} value={tree.place(at).cell(one.id)} row={tree.place(at).row} info={one.kind === "metrics" ? ranges.get(one.key) : undefined} down={isDown(metricOf(one.id) ?? one.key, directions)} nested={one.kind === "metrics" ? tree.place(at).best(one.id) : null} />}
      rowKey={(at) => tree.place(at).row?.id ?? `row-${at}`}
      rowClass={(at) => {
        const { row } = tree.place(at);
        return `${row && chosen.has(row.id) ? "selected" : ""} ${row && hovered.value === row.id ? "hovered" : ""} ${row?.stage === "deleted" ? "deleted" : ""}`;
      }}
      focus={focus} onFocus={setFocus} onOpen={open} onSelect={pick} onRange={rangeFn} onColumns={onColumns}
      onHover={(at) => {
        hovered.value = at === null ? null : (tree.place(at).row?.id ?? null);
      }}
      onResize={(one, width, done) => {
        if (done) setWidth(one.id, width);
        else dragWidths.value = { [one.id]: width };
      }}
      onLead={narrow ? undefined : (width, done) => {
        if (done) setWidth("lead", width);
        else dragWidths.value = { lead: width };
      }}
      onReorder={order}
      onKey={(event, at) => {
        if (event.key === "x" && at >= 0) {
          pick(at, { shift: event.shiftKey, toggle: true });
          return true;
        }
        if (nested && at >= 0 && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
          const id = tree.place(at).row?.id;
          if (id && summary?.children[id] && opened.value.includes(id) === (event.key === "ArrowLeft")) {
            toggleOpen(id);
            return true;
          }
        }
        if (event.key === "Escape" && chosen.size) {
          select([]);
          return true;
        }
        return false;
      }}
    />
  );
}

function LeadHead({ rows }: { rows: Rows }) {
  const loaded = rows.top(Math.min(rows.count, 100));
  const all = loaded.length > 0 && loaded.every((one) => selected.value.has(one.id));
  const some = !all && loaded.some((one) => selected.value.has(one.id));
  const term = sorts.value.find((one) => one.id === "attributes.run_name");
  return (
    <>
      <input
        type="checkbox" aria-label="Select the first rows" checked={all}
        ref={(element) => {
          if (element) element.indeterminate = some;
        }}
        onChange={() => select(all || some ? [] : loaded.map((one) => one.id))}
      />
      <button type="button" class="head-button" onClick={() => setSort("attributes.run_name", term ? !term.descending : false, false)}>
        <span class="head-line"><span class="head-label">Run</span></span>
        {term && <Icon name={term.descending ? "down" : "up"} size={12} />}
      </button>
    </>
  );
}

function Lead({ place, colors, below, nested }: { place: Place; colors: Map<string, string>; below: Record<string, number>; nested: boolean }) {
  const { row, depth } = place;
  if (!row) return <i class="ghost" />;
  const color = colors.get(row.id);
  const inside = below[row.id];
  const isOpen = opened.value.includes(row.id);
  return (
    <>
      <input type="checkbox" aria-label={`Select ${row.name}`} checked={selected.value.has(row.id)} onClick={(event) => event.stopPropagation()} onChange={() => toggle(row.id)} />
      {nested && (inside ? (
        <button type="button" class="twist" aria-expanded={isOpen} aria-label={`${isOpen ? "Close" : "Open"} the runs nested in ${row.name}`} onClick={() => toggleOpen(row.id)}>
          <Icon name={isOpen ? "down" : "right"} size={14} />
        </button>
      ) : <span class={depth ? "indent" : "twist-gap"} />)}
      <i class={`dot ${color ? "" : "off"}`} style={color ? { background: color } : undefined} />
      {!nested && row.parent && <span class="nest" title="Nested run">↳</span>}
      <a class="run-name" href={href(["experiments", row.experiment, "runs", row.id])} title={row.name} tabIndex={-1}>{row.name || row.id}</a>
      {inside && <span class="badge" title={`${inside} nested runs`}>{inside}</span>}
      {row.status !== "FINISHED" && <Status value={row.status} short />}
    </>
  );
}

function Head({ column: one, sorts: order, columnIds, directions, onDirection, why }: {
  column: Column;
  sorts: Sort[];
  columnIds: readonly string[];
  directions: Record<string, "up" | "down">;
  onDirection: (key: string, direction: "up" | "down") => void;
  /** Why the direction of a metric cannot be set. */
  why: string | undefined;
}) {
  const [menu, setMenu] = useState(false);
  const place = useRef<HTMLSpanElement>(null);
  const term = order.find((sort) => sort.id === one.id);
  const rank = order.length > 1 && term ? order.indexOf(term) + 1 : null;
  const canSort = one.id !== "attributes.duration" && (isExtreme(one.id) || !isSingle(one.id));
  const shown = metricOf(one.id);
  const down = isDown(shown ?? one.key, directions);
  const sort = (event: MouseEvent) => {
    if (!canSort) return;
    // The first click shows the best first: the least where less is better.
    const first = shown !== null ? !down : one.id === "attributes.start_time";
    if (term && term.descending !== first && !event.shiftKey) patch({ sort: undefined });
    else setSort(one.id, term ? !term.descending : first, event.shiftKey);
  };
  const kind = one.kind === "attributes" ? "" : isExtreme(one.id) ? `${one.kind}${(one.kind === "lowest") === down ? ", best" : ""}` : stepOf(one.id) !== null ? `at ${stepOf(one.id)}` : one.kind.slice(0, -1);
  const prefix = one.kind === "attributes" || (shown !== null && one.kind !== "metrics") ? "" : one.label.slice(0, Math.max(0, one.label.lastIndexOf("/")));
  const beside = (id: string) => setColumns(columnIds.includes(id) ? columnIds.filter((other) => other !== id) : columnIds.flatMap((other) => (other === one.id ? [other, id] : [other])));
  const [asking, setAsking] = useState(false);
  const without = () => setColumns(columnIds.filter((id) => id !== one.id));
  const isPinned = pinned.value.includes(one.id);
  const items: (Item | null)[] = [
    ...(canSort ? [
      { label: "Sort ascending", icon: "up" as const, run: () => setSort(one.id, false, false) },
      { label: "Sort descending", icon: "down" as const, run: () => setSort(one.id, true, false) },
      { label: "Add to the order", icon: "sort" as const, run: () => setSort(one.id, one.kind === "metrics" && !down, true) },
      null,
    ] : []),
    ...(one.kind === "metrics" ? [
      { label: "More is better", checked: !down, why, run: () => onDirection(one.key, "up") },
      { label: "Less is better", checked: down, why, run: () => onDirection(one.key, "down") },
      null,
      ...(["lowest", "highest"] as const).map((which): Item => {
        const id = `${which}.${one.key}`;
        return { label: `Show its ${which} value`, checked: columnIds.includes(id), ...((which === "lowest") === down ? { detail: "best" } : {}), run: () => beside(id) };
      }),
      { label: "Show its value at a step…", checked: columnIds.some((id) => stepOf(id) !== null && metricOf(id) === one.key), run: () => setAsking(true) },
      null,
    ] : []),
    ...(one.kind === "params" || one.kind === "tags" ? [{ label: "Group by this", icon: "group" as const, run: () => setGroup([...groupBy.value.filter((id) => id !== one.id), one.id]) }] : []),
    { label: isPinned ? "Unpin" : "Pin", icon: "pin", run: () => setPinned(isPinned ? pinned.value.filter((id) => id !== one.id) : [...pinned.value, one.id]) },
    { label: "Move left", icon: "left", run: () => setColumns(moved(columnIds, one.id, -1)) },
    { label: "Move right", icon: "right", run: () => setColumns(moved(columnIds, one.id, 1)) },
    { label: "Hide", icon: "hidden", run: without },
  ];
  return (
    <>
      <button
        type="button" class="head-button" onClick={sort} title={`${kind ? `${kind}: ` : ""}${one.key}`}
        aria-label={`${kind} ${one.label}${term ? (term.descending ? ", sorted descending" : ", sorted ascending") : ""}`}
      >
        <span class="head-kind">{prefix || kind}</span>
        <span class="head-line">
          <span class="head-label">{shortName(one.label)}</span>
          {term && <span class="head-sort"><Icon name={term.descending ? "down" : "up"} size={12} />{rank}</span>}
        </span>
      </button>
      <span class="head-menu" ref={place}>
        <button type="button" aria-label={`Column ${one.label}`} aria-haspopup="menu" aria-expanded={menu} onClick={() => setMenu(!menu)}>
          <Icon name="more" size={14} />
        </button>
      </span>
      {menu && (
        <Popover anchor={place.current} onClose={() => setMenu(false)} label={`Column ${one.label}`}>
          <MenuList items={items} onDone={() => setMenu(false)} label={`Column ${one.label}`} />
        </Popover>
      )}
      {asking && (
        <Ask
          title={`${one.label} at a step`} label="Step" action="Show" hint="Where a run has no value at the step, the one before it holds; a run that never came so far has none."
          wrong={(text) => (/^-?\d{1,15}$/.test(text) ? null : "A step is a whole number.")} onClose={() => setAsking(false)} onDone={(step) => beside(`at.${Number(step)}.${one.key}`)}
        />
      )}
    </>
  );
}

function moved(ids: readonly string[], id: string, step: number): string[] {
  const at = ids.indexOf(id);
  const to = Math.max(0, Math.min(ids.length - 1, at + step));
  const next = ids.filter((one) => one !== id);
  next.splice(to, 0, id);
  return next;
}

export function CellView({ column: one, value, row, info, down, nested }: {
  column: Column;
  value: Cell;
  row: Row | null;
  info?: MetricInfo | undefined;
  down: boolean;
  /** The best of the runs nested in it, for a run that has no value of its own. */
  nested?: Nested | null;
}) {
  if (!row) return null;
  if (value === null || value === undefined) {
    if (one.id === "attributes.duration" && row.status === "RUNNING" && row.start) return <span class="dim" title="Still running">{duration(Date.now() - row.start)}</span>;
    if (nested) return <a class="nested-best" tabIndex={-1} href={href(["experiments", row.experiment, "runs", nested[1]])} title={`${nested[0]}: the best of its nested runs, ${nested[2] ?? nested[1]}`}>↳ {num(nested[0])}</a>;
    return <span class="none">–</span>;
  }
  if (metricOf(one.id) !== null) {
    const number = metric(value);
    if (number === null) return <span>{String(value)}</span>;
    if (!Number.isFinite(number)) return <span class="odd" title="Not a finite number">{num(number)}</span>;
    const low = info?.min ?? null;
    const high = info?.max ?? null;
    const span = low !== null && high !== null ? high - low : 0;
    const ties = info?.ties?.[down ? 0 : 1] ?? 1;
    const best = span > 0 && number === (down ? low : high) && ties * 10 <= Math.max(10, info?.n ?? 0);
    const share = span > 0 ? Math.max(0, Math.min(1, (number - low!) / span)) : 0;
    return (
      <span class={`metric ${best ? "best" : ""}`} title={best ? `${number} (best)` : String(number)}>
        {span > 0 && <i style={{ transform: `scaleX(${best ? 1 : share.toFixed(3)})` }} />}
        <b>{num(number)}</b>
      </span>
    );
  }
  if (one.kind === "attributes") {
    if (one.key === "start_time" || one.key === "end_time") return <Time value={value as number} />;
    if (one.key === "duration") return <span>{duration(value as number)}</span>;
    if (one.key === "artifact_size") return <span title={`${value} bytes`}>{bytes(value as number)}</span>;
    if (one.key === "status") return <Status value={String(value)} />;
    if (one.key === "experiment_id") return <span title={String(value)}>{experimentNames.value.get(String(value)) ?? value}</span>;
    if (one.key === "run_id") return <code title={String(value)}>{String(value).slice(0, 12)}</code>;
    return <span>{String(value)}</span>;
  }
  const text = String(value);
  return (
    <button
      type="button" class="cell-filter" tabIndex={-1} title={text}
      onClick={(event) => {
        if (!event.altKey) return;
        event.stopPropagation();
        setFilter(filterText.value ? `${filterText.value} AND ${condition(one.kind, one.key, "=", text)}` : condition(one.kind, one.key, "=", text));
      }}
    >
      {one.key === "mlflow.source.git.commit" ? text.slice(0, 7) : text}
    </button>
  );
}

/** The line of what can be done with the chosen rows. */
export function SelectionBar({ may, onDelete, onRestore, onTag, deleted }: {
  may: May;
  onDelete: () => void;
  onRestore: () => void;
  onTag: () => void;
  deleted: boolean;
}) {
  const ids = selection.value;
  if (!ids.length) return null;
  return (
    <div class="selection-bar" role="toolbar" aria-label="Selected runs">
      <strong>{ids.length} selected</strong>
      <Button icon="compare" kind="primary" keys="c" title="Compare" disabled={ids.length < 2} onClick={() => go(href(["compare"], { runs: list(ids) }))}>Compare</Button>
      {!deleted && source.canWrite && <Button icon="tag" why={may.why("set_tag")} onClick={onTag}>Tag</Button>}
      {!source.canWrite ? null : deleted ? <Button icon="restore" why={may.why("restore_run")} onClick={onRestore}>Restore</Button> : <Button icon="trash" why={may.why("delete_run")} onClick={onDelete}>Delete</Button>}
      <Button kind="quiet" onClick={() => select([])}>Clear</Button>
    </div>
  );
}
