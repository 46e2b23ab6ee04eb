// Runs side by side: what differs, by how much, and their charts.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Button, Empty, Failure, Skeleton, Tabs } from "../../widgets/parts.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Charts, ChartSettings } from "../../widgets/charts.tsx";
import { ImageGrid } from "../../widgets/imagegrid.tsx";
import { Parallel } from "../../widgets/parallel.tsx";
import { Scatter } from "../../widgets/scatter.tsx";
import { useChanges, useLoad } from "../../app/load.ts";
import { go, href, patch, query } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { Compared } from "../../data/source.ts";
import { colorsOf } from "../../lib/colors.ts";
import { isDown, worth } from "../../lib/columns.ts";
import { datasetTrouble, diffRows } from "../../lib/diff.ts";
import { count } from "../../lib/format.ts";
import { list, readList } from "../../lib/url.ts";
import { DiffTable } from "./table.tsx";
import { FilesDiff } from "./files.tsx";
import { usePackages } from "./packages.ts";
import { Verdict } from "./verdict.tsx";
import { readRanges, writeRanges } from "../runs/many.tsx";

const TABS = [["table", "Differences"], ["charts", "Charts"], ["parallel", "Parallel"], ["scatter", "Scatter"], ["verdict", "Verdict"], ["images", "Images"], ["files", "Files"]] as const;
type Tab = (typeof TABS)[number][0];

export function ComparePage() {
  const ids = readList(query.value["runs"]);
  const tab: Tab = TABS.find(([id]) => id === query.value["tab"])?.[0] ?? "table";
  const loaded = useLoad(ids.length ? `compare ${ids.join(",")}` : null, (signal) => source.compare(ids, signal), 5000);
  useEffect(() => {
    document.title = "Compare runs · Millstream";
  }, []);
  const data = loaded.data;
  useChanges((data?.columns["attributes.experiment_id"] ?? []).map(String));
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
        : tab === "table" ? <RunsDiff data={data} ids={shown} colors={colors} nameOf={nameOf} />
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
        <Parallel ids={ids} columns={data.columns} axes={[...params.slice(0, 8), goal]} colorBy={goal} less={goal.startsWith("metrics.") && isDown(goal.slice(8))} hovered={over} onHover={setOver} onOpen={open}
          ranges={readRanges(query.value["brush"])} onRanges={(next) => patch({ brush: writeRanges(next) })} />
      ) : (
        <Scatter ids={ids} columns={data.columns} x={x} y={y} colorBy={goal} hovered={over} onHover={setOver} onOpen={open} />
      )}
    </div>
  );
}

function RunsDiff({ data, ids, colors, nameOf }: { data: Compared; ids: string[]; colors: Map<string, string>; nameOf: (at: number) => string }) {
  const packages = usePackages(ids, data.columns["attributes.experiment_id"] ?? []);
  const columns = useMemo(() => ({ ...data.columns, ...packages }), [data, packages]);
  return (
    <DiffTable
      label="Differences between the runs" columns={columns} ids={ids} nameOf={nameOf} colorOf={(at) => colors.get(ids[at]!)!}
      hrefOf={(at) => href(["experiments", String(data.columns["attributes.experiment_id"]![at]), "runs", ids[at]!])} onIds={(next) => patch({ runs: list(next) })}
    />
  );
}
