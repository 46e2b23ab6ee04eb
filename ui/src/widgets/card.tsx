// One chart of a metric, or of what is computed from some, for some runs or groups of them.

import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { color } from "../app/theme.ts";
import { useLoad } from "../app/load.ts";
import { source } from "../data/index.ts";
import type { Line } from "../data/source.ts";
import { bandOf, computed, over, type XY } from "../lib/align.ts";
import type { Expression } from "../lib/expression.ts";
import { count, num, whole, type Cell } from "../lib/format.ts";
import { drawLines } from "../lib/lines.ts";
import { csvOf } from "../lib/save.ts";
import { Button } from "./parts.tsx";
import { FigureTable, FigureTools } from "./figure.tsx";
import { svgOf } from "./picture.ts";
import { Plot, positions, type PlotLine, type XAxis } from "./plot.tsx";
import { BUCKETS } from "./series.ts";
import type { ChartRun, Settings } from "./charts.tsx";

/** The charts that are on the screen, or nearly: only their series are asked for. */
export const inView = signal<ReadonlySet<string>>(new Set());

function see(name: string, isThere: boolean): void {
  const next = new Set(inView.value);
  if (isThere) next.add(name);
  else next.delete(name);
  inView.value = next;
}

export interface CardProps {
  name: string;
  runs: readonly ChartRun[];
  /** The series that there are, by metric. */
  all: ReadonlyMap<string, Line[]>;
  starts: Record<string, { start: number | null }>;
  settings: Settings;
  /** What it shows, when that is computed. */
  expression?: Expression;
  onRemove?: () => void;
  hovered: string | null;
  onHover: (run: string | null) => void;
}

/** The lines of a chart before they are placed: those of the metric, or those that are computed. */
function linesOf({ name, all, expression }: Pick<CardProps, "name" | "all" | "expression">): Line[] | undefined {
  if (!expression) return all.get(name);
  const parts = expression.keys.map((key) => all.get(key));
  if (parts.some((one) => one === undefined)) return undefined;
  const runs = new Set(parts[0]!.map((one) => one.run));
  return [...runs].flatMap((run) => {
    const own = new Map<string, XY>();
    let exact = true;
    expression.keys.forEach((key, at) => {
      const line = parts[at]!.find((one) => one.run === run);
      if (!line) return;
      own.set(key, line);
      exact &&= line.exact;
    });
    const { x, y } = computed(own, expression.value);
    return x.length ? [{ run, key: name, x, y, n: x.length, exact }] : [];
  });
}

/** Lines as they are drawn: over another metric where one is chosen, as means and bands where runs are in groups. */
function placed(lines: readonly Line[], props: CardProps): { lines: PlotLine[]; axis: XAxis } {
  const { runs, all, starts, settings } = props;
  const byId = new Map(runs.map((one) => [one.id, one]));
  const across = settings.across ? all.get(settings.across) : undefined;
  const found = lines.flatMap((line): PlotLine[] => {
    const run = byId.get(line.run);
    if (!run) return [];
    const start = starts[line.run]?.start ?? null;
    if (!settings.across) return [{ line, label: run.name, color: run.color, start }];
    const other = across?.find((one) => one.run === line.run);
    const { x, y, isFunction } = other ? over(line, other) : { x: [], y: [], isFunction: true };
    // Positions are other values: what was cut from the steps says nothing here.
    const { means: _means, marks: _marks, ...rest } = line;
    return x.length ? [{ line: { ...rest, x, y }, label: run.name, color: run.color, start, dots: !isFunction }] : [];
  });
  const axis = settings.across ? "placed" : settings.axis;
  if (!runs.some((one) => one.group !== undefined)) return { lines: found, axis };
  const groups = new Map<string, PlotLine[]>();
  for (const one of found) {
    const group = byId.get(one.line.run)!.group ?? one.label;
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  const bands = [...groups].map(([group, own]): PlotLine => {
    const { x, mean, low, high } = bandOf(own.map((one) => ({ x: positions(one, axis, one.line.x), y: one.line.y })));
    const n = own.reduce((sum, one) => sum + one.line.n, 0);
    // Times are kept in ms since their start, as those of single runs are.
    const scale = axis === "time" || axis === "relative" ? 1000 : 1;
    return { line: { run: group, key: props.name, x: x.map((one) => one * scale), y: mean, n, exact: own.every((one) => one.line.exact) }, label: `${own[0]!.label} (${own.length})`, color: own[0]!.color, start: 0, low, high };
  });
  return { lines: bands, axis };
}

const ACROSS = { step: "step", relative: "seconds", time: "time" } as const;

export function Card(props: CardProps) {
  const { name, runs, all, settings, expression, onRemove, hovered, onHover } = props;
  const card = useRef<HTMLElement>(null);
  const [near, setNear] = useState(false);
  const [zoom, setZoom] = useState<[number, number] | null>(null);
  const [large, setLarge] = useState(false);
  const [asTable, setAsTable] = useState(false);
  const { axis, smooth, logY, logX, across } = settings;
  useEffect(() => {
    const watcher = new IntersectionObserver(
      (entries) => {
        const now = entries.at(-1)!.isIntersecting;
        setNear(now);
        see(name, now);
      },
      { rootMargin: "300px" },
    );
    watcher.observe(card.current!);
    return () => {
      watcher.disconnect();
      see(name, false);
    };
  }, [name]);
  useEffect(() => setZoom(null), [axis, across]);

  const lines = useMemo(() => linesOf(props), [name, all, expression]);
  const isPlain = !expression && !across && !runs.some((one) => one.group !== undefined);
  // A part is asked for again, so that what was bucketed becomes exact.
  const rough = isPlain && !!lines?.some((one) => !one.exact);
  const ids = runs.map((one) => one.id);
  const part = useLoad(
    near && zoom && rough && axis !== "relative" ? JSON.stringify([ids, name, axis, zoom]) : null,
    (abort) => source.series({ runs: ids, keys: [name], buckets: BUCKETS, axis: axis === "step" ? "step" : "time", low: axis === "time" ? zoom![0] * 1000 : zoom![0], high: axis === "time" ? zoom![1] * 1000 : zoom![1] }, abort),
  );
  const shown = zoom && part.data && !part.stale ? part.data.series : lines;
  const found = useMemo(() => placed(shown ?? [], props), [shown, runs, props.starts, all, axis, across]);
  const plotted = found.lines;
  const isBand = plotted.some((one) => one.low);
  const acrossName = across || ACROSS[axis];
  const total = plotted.reduce((sum, one) => sum + one.line.n, 0);
  const drawn = plotted.reduce((sum, one) => sum + one.line.x.length, 0);
  const odd = plotted.reduce((sum, one) => sum + (one.line.marks?.length ?? 0), 0);
  const height = large ? 420 : 190;
  const title = name.slice(name.lastIndexOf("/") + 1);
  const head = [isBand ? "Group" : "Run", acrossName, expression ? name : title, ...(isBand ? ["± sd"] : [])];
  const rows = () => plotted.flatMap((one) => one.line.x.map((x, at): Cell[] => [one.label, positions(one, found.axis, [x])[0], one.line.y[at], ...(one.high ? [one.high[at]! - one.line.y[at]!] : [])]));
  const svg = () => {
    const host = card.current!.querySelector(".plot");
    const wide = Math.max(360, host?.clientWidth ?? 640);
    const drawing = plotted.map((one) => ({ label: one.label, color: one.color, x: positions(one, found.axis, one.line.x), y: one.line.y, ...(one.low && one.high ? { low: one.low, high: one.high } : {}) }));
    return svgOf(({ context, width, height: tall }) => drawLines(context, width, tall, drawing, { title: name, across: acrossName, logX, logY, zoom, text: color("text"), faint: color("text-3"), grid: color("grid") }), wide, 300 + Math.min(12, drawing.length) * 16);
  };
  return (
    <article class={`card ${large ? "large" : ""}`} ref={card} aria-label={`Chart of ${name}`}>
      <header>
        <h4 title={name}>{expression ? name : title}</h4>
        {odd > 0 && <span class="note warn" title={oddTitle(plotted)}>{count(odd, "value")} not finite</span>}
        {drawn < total && !isBand && <span class="note" title="Every column of pixels keeps its first, least, greatest and last point. Zoom in to see all of them.">{`${whole(total)} points, ${whole(drawn)} drawn`}</span>}
        {isBand && <span class="note" title="Mean of each group, and one standard deviation around it">mean ± sd</span>}
        {zoom && <Button kind="quiet" onClick={() => setZoom(null)}>Reset zoom</Button>}
        <span class="card-tools">
          {onRemove && <Button kind="quiet" icon="close" label={`Remove the chart of ${name}`} onClick={onRemove} />}
          <FigureTools name={name} asTable={asTable} onTable={() => setAsTable(!asTable)} canvas={() => card.current!.querySelector("canvas")} svg={svg} csv={() => csvOf(head, rows())} />
          <Button kind="quiet" icon="expand" label={large ? "Smaller" : "Larger"} onClick={() => setLarge(!large)} />
        </span>
      </header>
      {near && lines ? (
        plotted.length && drawn ? (
          asTable ? <div style={{ height: `${height}px`, overflow: "auto" }}><FigureTable head={head} rows={rows()} label={name} /></div> :
          plotted.every((one) => one.line.x.length <= 1) ? <Bars lines={plotted} height={height} dimmed={hovered} onHover={onHover} /> :
          <Plot lines={plotted} height={height} axis={found.axis} across={acrossName} smooth={smooth} logY={logY} logX={logX} dimmed={hovered} title={name} zoom={zoom} onZoom={setZoom} onHover={onHover} />
        ) : (
          <div class="plot-empty" style={{ height: `${height}px` }}>{across && lines.length ? `None of these runs has ${across} beside it.` : "None of these runs has it."}</div>
        )
      ) : (
        <div class="plot-ghost" style={{ height: `${height}px` }} />
      )}
    </article>
  );
}

/** One value a run: a bar each. */
function Bars({ lines, height, dimmed, onHover }: { lines: PlotLine[]; height: number; dimmed: string | null; onHover: (run: string | null) => void }) {
  const values = lines.map((one) => one.line.y[0] ?? NaN);
  const low = Math.min(0, ...values.filter(Number.isFinite));
  const high = Math.max(0, ...values.filter(Number.isFinite));
  const span = high - low || 1;
  return (
    <div class="bars" style={{ maxHeight: `${height}px` }}>
      {lines.map((one, at) => {
        const value = values[at]!;
        const from = (Math.min(0, value) - low) / span;
        return (
          <div class={`bar ${dimmed && dimmed !== one.line.run ? "dimmed" : ""}`} key={one.line.run} onPointerEnter={() => onHover(one.line.run)} onPointerLeave={() => onHover(null)}>
            <span title={one.label}>{one.label}</span>
            <i><b style={{ left: `${from * 100}%`, width: `${(Math.abs(value) / span) * 100}%`, background: one.color }} /></i>
            <em>{one.high ? `${num(value, 4)} ± ${num(one.high[0]! - value, 2)}` : num(value)}</em>
          </div>
        );
      })}
    </div>
  );
}

function oddTitle(lines: PlotLine[]): string {
  return lines.filter((one) => one.line.marks?.length).slice(0, 8)
    .map((one) => `${one.label}: ${one.line.marks!.slice(0, 4).map(([at, kind]) => `${kind} at ${at}`).join(", ")}`).join("\n");
}
