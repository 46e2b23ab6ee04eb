// Plots of all the runs that match: parallel coordinates, scatter, and which params matter.

import { useMemo } from "preact/hooks";
import { BoxPlot } from "../../widgets/boxplot.tsx";
import { Contour } from "../../widgets/contour.tsx";
import { HeatMap } from "../../widgets/heatmap.tsx";
import { Parallel, type Range } from "../../widgets/parallel.tsx";
import { Scatter } from "../../widgets/scatter.tsx";
import { Button, Empty, Failure, Skeleton } from "../../widgets/parts.tsx";
import { Drop } from "../../widgets/overlay.tsx";
import { useLoad } from "../../app/load.ts";
import { go, href, patch, query } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { Ask } from "../../data/source.ts";
import { goalOf, isDown, type Summary } from "../../lib/columns.ts";
import { count, type Cell } from "../../lib/format.ts";
import { scaleOf } from "../../lib/scale.ts";
import { weights } from "../../lib/stats.ts";
import { list, readList } from "../../lib/url.ts";
import { condition } from "../../lib/query.ts";
import { Checklist } from "./filter.tsx";
import { filterText, hovered, setFilter } from "./state.ts";

/** The plots of all runs, and what they are called. */
export const MANY = [["parallel", "Parallel"], ["scatter", "Scatter"], ["box", "Box"], ["heat", "Heat map"], ["contour", "Contour"], ["pareto", "Pareto"]] as const;
export type ManyKind = (typeof MANY)[number][0];

export function ManyPlots({ kind, ask, summary, directions }: {
  kind: ManyKind;
  ask: Ask;
  summary: Summary | null;
  directions: Record<string, "up" | "down">;
}) {
  const now = query.value;
  const goal = now["goal"] ?? (summary ? goalOf(summary) : null) ?? "attributes.start_time";
  const params = useMemo(() => (summary?.params ?? []).filter((one) => one.distinct > 1).map((one) => `params.${one.key}`), [summary]);
  const all = useMemo(() => [...params, ...(summary?.metrics ?? []).map((one) => `metrics.${one.key}`)], [params, summary]);
  const metrics = useMemo(() => (summary?.metrics ?? []).map((one) => `metrics.${one.key}`), [summary]);
  // The other metric of a front: what costs, where somebody measured it.
  const second = now["py"]?.startsWith("metrics.") && now["py"] !== goal ? now["py"] : (metrics.find((id) => id !== goal && /time|latency|size|params|flops|cost|second/i.test(id)) ?? metrics.find((id) => id !== goal) ?? goal);
  const wanted = useMemo(() => [...new Set([...params.slice(0, 30), goal, second, ...readList(now["axes"]), now["px"] ?? "", now["py"] ?? ""])].filter(Boolean), [params, goal, second, now["axes"], now["px"], now["py"]]);
  const question = useMemo<Ask>(() => ({ ...ask, order_by: [] }), [JSON.stringify(ask)]);
  const loaded = useLoad(summary ? JSON.stringify([question, wanted]) : null, (signal) => source.points(question, wanted, signal), 5000);
  const found = loaded.data;
  const ranked = useMemo(() => (found ? weights(found.columns, params.filter((id) => found.columns[id]), goal) : []), [found, goal]);
  if (loaded.error && !found) return <Failure error={loaded.error} retry={loaded.reload} />;
  if (!found || !summary) return <div class="pad"><Skeleton lines={8} /></div>;
  if (!found.count) return <Empty icon="chart" title="No runs to plot">No run matches the filter.</Empty>;
  const ids = found.columns["attributes.run_id"] as string[];
  const chosen = readList(now["axes"]);
  const axes = chosen.length ? chosen : [...ranked.slice(0, 6).map((one) => one.key), goal];
  const open = (id: string) => {
    const experiment = ask.experiments[0] ?? "0";
    go(href(["experiments", experiment, "runs", id]));
  };
  const down = goal.startsWith("metrics.") && isDown(goal.slice(8), directions);
  const pick = (label: string, value: string, name: string, options: readonly string[]) => (
    <label class="pick">
      <span>{label}</span>
      <select value={value} onChange={(event) => patch({ [name]: event.currentTarget.value })}>
        {[...new Set([value, ...options])].map((id) => <option value={id} key={id}>{id.slice(id.indexOf(".") + 1)}</option>)}
      </select>
    </label>
  );
  const less = (id: string) => id.startsWith("metrics.") && isDown(id.slice(8), directions);
  const px = now["px"] ?? ranked[0]?.key ?? params[0] ?? goal;
  // Two params where a map needs two; the metric itself elsewhere.
  const mapped = kind === "heat" || kind === "contour";
  const py = now["py"] ?? (mapped ? (ranked.map((one) => one.key).find((id) => id !== px) ?? params.find((id) => id !== px) ?? goal) : goal);
  const shared = { ids, columns: found.columns, hovered: hovered.value, onHover: (id: string | null) => (hovered.value = id), onOpen: open };
  const ranges = readRanges(now["brush"]);
  const toggle = (id: string) => patch({ axes: list(axes.includes(id) ? axes.filter((one) => one !== id) : [...axes, id]) });
  return (
    <div class="many">
      <div class="chart-bar">
        {pick(down ? "Goal (less is better)" : "Goal", goal, "goal", all.filter((id) => id.startsWith("metrics.")))}
        {kind !== "parallel" && kind !== "pareto" && pick(kind === "box" ? "By" : "Across", px, "px", all)}
        {(kind === "scatter" || mapped) && pick("Up", py, "py", all)}
        {kind === "pareto" && pick(less(second) ? "Against (less is better)" : "Against (more is better)", second, "py", metrics.filter((id) => id !== goal))}
        {kind === "parallel" && (
          <Drop label="Axes" icon="columns" text="Axes" wide>
            {() => <Checklist label="Axes" checked={new Set(axes)} onToggle={toggle} sections={[{ title: "Params", items: params.map((id) => ({ id, label: id.slice(7) })) }, { title: "Metrics", items: summary.metrics.map((one) => ({ id: `metrics.${one.key}`, label: one.key })) }]} />}
          </Drop>
        )}
        {Object.keys(ranges).length > 0 && (
          <>
            <Button onClick={() => setFilter([filterText.value, ...brushFilter(ranges, found.columns)].filter(Boolean).join(" AND "))}>Filter the table by this</Button>
            <Button kind="quiet" onClick={() => patch({ brush: undefined })}>Clear ranges</Button>
          </>
        )}
        <span class="dim">{found.count < found.total ? `${count(found.count, "run")} of ${found.total}` : count(found.count, "run")}</span>
      </div>
      {kind === "parallel" && (
        <Parallel {...shared} axes={axes.filter((id) => found.columns[id])} colorBy={goal} less={down} ranges={ranges} onRanges={(next) => patch({ brush: writeRanges(next) })} />
      )}
      {kind === "scatter" && <Scatter {...shared} x={px} y={py} colorBy={goal} />}
      {kind === "pareto" && <Scatter {...shared} x={second} y={goal} colorBy={goal} less={[less(second), less(goal)]} />}
      {kind === "box" && <BoxPlot columns={found.columns} x={px} y={goal} />}
      {kind === "heat" && <HeatMap columns={found.columns} x={px} y={py} colorBy={goal} />}
      {kind === "contour" && <Contour {...shared} x={px} y={py} colorBy={goal} />}
      {ranked.some((one) => one.strength > 0) && (
        <div class="weights">
          <h3>What moves {goal.slice(goal.indexOf(".") + 1)}</h3>
          <p class="hint">Rank correlation; without a sign where the dependence has no direction.</p>
          {ranked.slice(0, 12).map((one) => (
            <div class="weight" key={one.key}>
              <span title={one.key}>{one.key.slice(7)}</span>
              <i><b class={one.direction !== null && one.direction < 0 ? "minus" : ""} style={{ width: `${Math.round(one.strength * 100)}%` }} /></i>
              <em>{`${one.direction !== null && one.direction < 0 && one.strength >= 0.005 ? "−" : ""}${one.strength.toFixed(2)}`}</em>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

export function readRanges(text: string | undefined): Record<string, Range> {
  const found: Record<string, Range> = {};
  for (const one of readList(text)) {
    const match = /^(.+)=([\d.]+):([\d.]+)$/.exec(one);
    if (match) found[match[1]!] = [Number(match[2]), Number(match[3])];
  }
  return found;
}

export function writeRanges(ranges: Record<string, Range>): string | undefined {
  return list(Object.entries(ranges).map(([id, [low, high]]) => `${id}=${low.toFixed(4)}:${high.toFixed(4)}`)) || undefined;
}

/** The conditions that ranges on axes stand for. Numbers of params are text to the server, so they are listed. */
function brushFilter(ranges: Record<string, Range>, columns: Record<string, Cell[]>): string[] {
  return Object.entries(ranges).flatMap(([id, [low, high]]) => {
    const cells = columns[id] ?? [];
    const scale = scaleOf(cells);
    const cut = id.indexOf(".");
    const [kind, key] = [id.slice(0, cut), id.slice(cut + 1)];
    if (kind === "metrics") return [condition(kind, key, ">=", scale.invert(low)), condition(kind, key, "<=", scale.invert(high))];
    const inside = [...new Set(cells.filter((cell) => {
      const at = scale.at(cell);
      return at !== null && at >= low && at <= high;
    }).map(String))];
    if (!inside.length || inside.length > 300) return [];
    return [`${condition(kind, key, "IN", "").replace(/''$/, "")}(${inside.map((one) => `'${one.replaceAll("'", "''")}'`).join(", ")})`];
  });
}
