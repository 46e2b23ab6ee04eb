// The table of differences between things of one kind: a row for each key, a column for each of them.

import { useMemo, useState } from "preact/hooks";
import { Grid, type GridColumn } from "../../widgets/grid.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Button, Field, Status } from "../../widgets/parts.tsx";
import { experimentNames } from "../../app/experiments.ts";
import { patch, query } from "../../app/router.ts";
import { isDown } from "../../lib/columns.ts";
import { change, diffRows, same, type DiffRow } from "../../lib/diff.ts";
import { date, duration, metric, num, type Cell } from "../../lib/format.ts";
import { csvOf, download } from "../../lib/save.ts";

const SECTIONS = [["version", "Version"], ["metrics", "Metrics"], ["params", "Params"], ["inputs", "Inputs"], ["outputs", "Outputs"], ["attributes", "Run"], ["tags", "Tags"], ["packages", "Packages"]] as const;

interface ThingColumn extends GridColumn {
  at: number;
}

export interface DiffProps {
  label: string;
  columns: Record<string, Cell[]>;
  ids: string[];
  nameOf: (at: number) => string;
  colorOf?: (at: number) => string;
  hrefOf: (at: number) => string;
  /** Shows other ones. */
  onIds: (ids: string[]) => void;
}

export function DiffTable({ label, columns: cells, ids, nameOf, colorOf, hrefOf, onIds }: DiffProps) {
  const all = query.value["all"] === "1";
  const find = (query.value["find"] ?? "").toLowerCase();
  const [focus, setFocus] = useState(-1);
  const base = Math.max(0, ids.indexOf(query.value["base"] ?? ids[0]!));
  const rows = useMemo(() => diffRows(cells), [cells]);
  const found = rows.filter((one) => (all || one.differs || one.kind === "metrics") && (!find || one.key.toLowerCase().includes(find)) && (all || !/^mlflow\.(log-model|source\.type|autologging)/.test(one.key)));
  const entries: (DiffRow | { heading: string; count: number })[] = [];
  for (const [kind, title] of SECTIONS) {
    const own = found.filter((one) => one.kind === kind);
    if (own.length) entries.push({ heading: title, count: own.length }, ...own);
  }
  const hidden = rows.length - found.length;
  // On a phone the baseline leaves room for one to compare.
  const narrow = innerWidth < 700;
  const columns: ThingColumn[] = ids.map((id, at) => ({ id, at, width: narrow ? 134 : 168, numeric: true }));
  const remove = (id: string) => onIds(ids.filter((one) => one !== id));
  return (
    <div class="diff">
      <div class="preview-bar">
        <Field label="Find a key" icon="search" value={query.value["find"] ?? ""} onInput={(event) => patch({ find: event.currentTarget.value || undefined })} />
        <label class="check-line"><input type="checkbox" checked={!all} onChange={() => patch({ all: all ? undefined : "1" })} /> Differences only</label>
        {hidden > 0 && !find && <span class="dim">{hidden} the same</span>}
        <span class="spring" />
        <Button kind="quiet" icon="download" onClick={() => download("compare.csv", csvOf(["key", ...ids.map((_, at) => nameOf(at))], rows.map((row) => [row.id, ...row.cells])), "text/csv")}>CSV</Button>
      </div>
      <div class="diff-body">
        <Grid<ThingColumn>
          label={label} count={entries.length} leadWidth={narrow ? 104 : 250} headHeight={56}
          pinned={columns.filter((one) => one.at === base)} columns={columns.filter((one) => one.at !== base)}
          leadHeader={() => <span class="head-label">Key</span>}
          lead={(row) => {
            const entry = entries[row]!;
            return "heading" in entry ? <strong class="diff-heading">{entry.heading} <span class="dim">{entry.count}</span></strong> : <span title={entry.id}>{entry.key}</span>;
          }}
          header={(one) => (
            <div class="diff-head">
              <a href={hrefOf(one.at)} title={nameOf(one.at)}>{colorOf && <i class="dot" style={{ background: colorOf(one.at) }} />}<span>{nameOf(one.at)}</span></a>
              <div class="diff-tools">
                {one.at === base ? <span class="chip">baseline</span> : <button type="button" onClick={() => patch({ base: one.id })}>set as baseline</button>}
                {ids.length > 2 && <button type="button" aria-label={`Leave out ${nameOf(one.at)}`} onClick={() => remove(one.id)}><Icon name="close" size={12} /></button>}
              </div>
            </div>
          )}
          cell={(row, one) => {
            const entry = entries[row]!;
            return "heading" in entry ? null : <DiffCell row={entry} at={one.at} base={base} />;
          }}
          rowKey={(row) => {
            const entry = entries[row]!;
            return "heading" in entry ? entry.heading : entry.id;
          }}
          rowClass={(row) => ("heading" in entries[row]! ? "heading-row" : "")}
          focus={focus} onFocus={setFocus}
        />
      </div>
    </div>
  );
}

function DiffCell({ row, at, base }: { row: DiffRow; at: number; base: number }) {
  const value = row.cells[at];
  const other = at !== base && !same(value, row.cells[base]);
  if (value === null || value === undefined) return <span class={other ? "changed none" : "none"}>–</span>;
  if (row.kind === "metrics") {
    const number = metric(value);
    const numbers = row.cells.map((cell) => metric(cell)).filter((one): one is number => one !== null && Number.isFinite(one));
    const less = isDown(row.key);
    const best = numbers.length > 1 && row.differs && number === (less ? Math.min(...numbers) : Math.max(...numbers));
    const delta = at === base ? "" : change(number, metric(row.cells[base] as Cell));
    const better = delta !== "" && (delta.startsWith("−") === less);
    return (
      <span class={best ? "best-value" : ""} title={String(value)}>
        {delta && <small class={better ? "better" : "worse"}>{delta}</small>} {number === null ? String(value) : num(number)}
      </span>
    );
  }
  const text = row.id === "attributes.start_time" || row.id === "attributes.end_time" || row.id === "version.made" ? date(value as number)
    : row.id === "attributes.duration" ? duration(value as number)
    : row.id === "attributes.experiment_id" ? (experimentNames.value.get(String(value)) ?? String(value))
    : String(value);
  if (row.id === "attributes.status") return <Status value={text} />;
  return <span class={other ? "changed" : ""} title={text}>{row.key === "mlflow.source.git.commit" ? text.slice(0, 10) : text}</span>;
}
