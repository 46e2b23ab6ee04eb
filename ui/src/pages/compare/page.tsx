// Runs side by side: what differs, by how much, and their charts.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Button, Empty, Failure, Field, Skeleton, Status, Tabs } from "../../widgets/parts.tsx";
import { Grid, type GridColumn } from "../../widgets/grid.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Charts, ChartSettings } from "../../widgets/charts.tsx";
import { ImageGrid } from "../../widgets/imagegrid.tsx";
import { Parallel } from "../../widgets/parallel.tsx";
import { Scatter } from "../../widgets/scatter.tsx";
import { experimentNames } from "../../app/experiments.ts";
import { useLoad } from "../../app/load.ts";
import { go, href, patch, query } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { Compared } from "../../data/source.ts";
import { colorsOf } from "../../lib/colors.ts";
import { isDown, worth } from "../../lib/columns.ts";
import { change, datasetTrouble, diffRows, same, type DiffRow } from "../../lib/diff.ts";
import { count, date, duration, metric, num, type Cell } from "../../lib/format.ts";
import { csvOf, download } from "../../lib/save.ts";
import { list, readList } from "../../lib/url.ts";
import { FilesDiff } from "./files.tsx";
import { usePackages } from "./packages.ts";
import { Verdict } from "./verdict.tsx";
import { readRanges, writeRanges } from "../runs/many.tsx";

const TABS = [["table", "Differences"], ["charts", "Charts"], ["parallel", "Parallel"], ["scatter", "Scatter"], ["verdict", "Verdict"], ["images", "Images"], ["files", "Files"]] as const;
type Tab = (typeof TABS)[number][0];

interface RunColumn extends GridColumn {
  at: number;
}

export function ComparePage() {
  const ids = readList(query.value["runs"]);
  const tab: Tab = TABS.find(([id]) => id === query.value["tab"])?.[0] ?? "table";
  const loaded = useLoad(ids.length ? `compare ${ids.join(",")}` : null, (signal) => source.compare(ids, signal), 5000);
  useEffect(() => {
    document.title = "Compare runs · Millstream";
  }, []);
  const data = loaded.data;
  const shown = (data?.columns["attributes.run_id"] ?? []) as string[];
  const colors = useMemo(() => colorsOf(shown), [shown.join(",")]);
  const nameOf = (at: number) => (data?.columns["attributes.run_name"]?.[at] as string | null) || shown[at]!.slice(0, 8);
  const trouble = data ? datasetTrouble(data.datasets) : [];
  if (!ids.length) return <Empty icon="compare" title="Nothing to compare"><p>Select runs in a table, then press <kbd>C</kbd>.</p></Empty>;
  return (
    <div class="page compare-page">
      <header class="page-head">
        <nav class="crumbs" aria-label="Breadcrumb"><a href="#/experiments">Experiments</a><Icon name="right" size={12} /></nav>
        <h1>{`Compare ${count(ids.length, "run")}`}</h1>
        {data && data.missing.length > 0 && <span class="note warn">{`${count(data.missing.length, "run")} no longer there`}</span>}
        <span class="spring" />
        <Button icon="left" onClick={() => history.back()}>Back</Button>
      </header>
      <Tabs<Tab> label="How to compare" value={tab} onChange={(value) => patch({ tab: value === "table" ? undefined : value }, true)} options={TABS.filter(([id]) => id !== "images" || tab === id || !!data?.columns["tags.mlflow.loggedImages"])} />
      {trouble.length > 0 && (
        <p class="banner" role="status"><Icon name="warning" size={14} /> These runs used different versions of {trouble.join(", ")}: their numbers may not be comparable.</p>
      )}
      {loaded.error && !data ? <Failure error={loaded.error} retry={loaded.reload} />
        : !data ? <div class="pad"><Skeleton lines={10} /></div>
        : tab === "table" ? <DiffTable data={data} ids={shown} colors={colors} nameOf={nameOf} />
        : tab === "verdict" ? <Verdict data={data} />
        : tab === "images" ? <ImageGrid runs={shown.map((id, at) => ({ id, name: nameOf(at), color: colors.get(id)! }))} />
        : tab === "files" ? <FilesDiff data={data} ids={shown} nameOf={nameOf} />
        : tab === "charts" ? (
          <div class="run-charts">
            <div class="charts-head"><ChartSettings /></div>
            <CompareCharts data={data} ids={shown} colors={colors} nameOf={nameOf} />
          </div>
        ) : <ComparePlots kind={tab} data={data} ids={shown} />}
    </div>
  );
}

function CompareCharts({ data, ids, colors, nameOf }: { data: Compared; ids: string[]; colors: Map<string, string>; nameOf: (at: number) => string }) {
  const [over, setOver] = useState<string | null>(null);
  const keys = Object.keys(data.columns).filter((id) => id.startsWith("metrics.")).map((id) => id.slice(8)).sort((a, b) => worth(b) - worth(a) || (a < b ? -1 : 1));
  const runs = ids.slice(0, 100).map((id, at) => ({ id, name: nameOf(at), color: colors.get(id)! }));
  return (
    <>
      <ul class="legend">
        {runs.slice(0, 40).map((one) => (
          <li key={one.id} class={over && over !== one.id ? "dimmed" : ""} onPointerEnter={() => setOver(one.id)} onPointerLeave={() => setOver(null)}>
            <i class="dot" style={{ background: one.color }} />{one.name}
          </li>
        ))}
      </ul>
      <Charts runs={runs} keys={keys} hovered={over} onHover={setOver} {...(ids.length > 100 ? { which: "The first 100 runs." } : {})} />
    </>
  );
}

function ComparePlots({ kind, data, ids }: { kind: "parallel" | "scatter"; data: Compared; ids: string[] }) {
  const [over, setOver] = useState<string | null>(null);
  const rows = useMemo(() => diffRows(data.columns), [data]);
  const params = rows.filter((one) => one.kind === "params" && one.differs).map((one) => one.id);
  const metrics = rows.filter((one) => one.kind === "metrics").map((one) => one.id).sort((a, b) => worth(b.slice(8)) - worth(a.slice(8)));
  const goal = query.value["goal"] ?? metrics[0] ?? params[0] ?? "attributes.start_time";
  const pick = (label: string, value: string, name: string, options: string[]) => (
    <label class="pick"><span>{label}</span>
      <select value={value} onChange={(event) => patch({ [name]: event.currentTarget.value })}>
        {[...new Set([value, ...options])].map((id) => <option key={id} value={id}>{id.slice(id.indexOf(".") + 1)}</option>)}
      </select>
    </label>
  );
  const x = query.value["px"] ?? params[0] ?? goal;
  const y = query.value["py"] ?? goal;
  const open = (id: string) => go(href(["experiments", String(data.columns["attributes.experiment_id"]![ids.indexOf(id)]), "runs", id]));
  return (
    <div class="many">
      <div class="chart-bar">
        {pick("Colour", goal, "goal", metrics)}
        {kind === "scatter" && pick("Across", x, "px", [...params, ...metrics])}
        {kind === "scatter" && pick("Up", y, "py", [...metrics, ...params])}
      </div>
      {kind === "parallel" ? (
        <Parallel ids={ids} columns={data.columns} axes={[...params.slice(0, 8), goal]} colorBy={goal} hovered={over} onHover={setOver} onOpen={open}
          ranges={readRanges(query.value["brush"])} onRanges={(next) => patch({ brush: writeRanges(next) })} />
      ) : (
        <Scatter ids={ids} columns={data.columns} x={x} y={y} colorBy={goal} hovered={over} onHover={setOver} onOpen={open} />
      )}
    </div>
  );
}

function DiffTable({ data, ids, colors, nameOf }: { data: Compared; ids: string[]; colors: Map<string, string>; nameOf: (at: number) => string }) {
  const all = query.value["all"] === "1";
  const find = (query.value["find"] ?? "").toLowerCase();
  const [focus, setFocus] = useState(-1);
  const base = Math.max(0, ids.indexOf(query.value["base"] ?? ids[0]!));
  const packages = usePackages(ids, data.columns["attributes.experiment_id"] ?? []);
  const rows = useMemo(() => diffRows({ ...data.columns, ...packages }), [data, packages]);
  const found = rows.filter((one) => (all || one.differs || one.kind === "metrics") && (!find || one.key.toLowerCase().includes(find)) && (all || !/^mlflow\.(log-model|source\.type|autologging)/.test(one.key)));
  const entries: (DiffRow | { heading: string; count: number })[] = [];
  for (const [kind, title] of [["metrics", "Metrics"], ["params", "Params"], ["attributes", "Run"], ["tags", "Tags"], ["packages", "Packages"]] as const) {
    const own = found.filter((one) => one.kind === kind);
    if (own.length) entries.push({ heading: title, count: own.length }, ...own);
  }
  const hidden = rows.length - found.length;
  const columns: RunColumn[] = ids.map((id, at) => ({ id, at, width: 168, numeric: true }));
  const remove = (id: string) => patch({ runs: list(ids.filter((one) => one !== id)) });
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
        <Grid<RunColumn>
          label="Differences between the runs" count={entries.length} leadWidth={innerWidth < 700 ? 130 : 250} headHeight={56}
          pinned={columns.filter((one) => one.at === base)} columns={columns.filter((one) => one.at !== base)}
          leadHeader={<span class="head-label">Key</span>}
          lead={(row) => {
            const entry = entries[row]!;
            return "heading" in entry ? <strong class="diff-heading">{entry.heading} <span class="dim">{entry.count}</span></strong> : <span title={entry.id}>{entry.key}</span>;
          }}
          header={(one) => (
            <div class="diff-head">
              <a href={href(["experiments", String(data.columns["attributes.experiment_id"]![one.at]), "runs", one.id])} title={nameOf(one.at)}><i class="dot" style={{ background: colors.get(one.id)! }} /><span>{nameOf(one.at)}</span></a>
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
  const text = row.id === "attributes.start_time" || row.id === "attributes.end_time" ? date(value as number)
    : row.id === "attributes.duration" ? duration(value as number)
    : row.id === "attributes.experiment_id" ? (experimentNames.value.get(String(value)) ?? String(value))
    : String(value);
  if (row.id === "attributes.status") return <Status value={text} />;
  return <span class={other ? "changed" : ""} title={text}>{row.key === "mlflow.source.git.commit" ? text.slice(0, 10) : text}</span>;
}
