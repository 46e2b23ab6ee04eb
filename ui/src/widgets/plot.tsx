// A chart of lines over uPlot: colours of the theme, smoothing over the raw line, zoom by drag, reading by arrows.

import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { color, isDark } from "../app/theme.ts";
import { ema } from "../lib/smooth.ts";
import { num, duration, date } from "../lib/format.ts";
import type { Line } from "../data/source.ts";

/** `placed`: positions are as they are shown already, such as the values of another metric. */
export type XAxis = "step" | "relative" | "time" | "placed";

export interface PlotLine {
  line: Line;
  label: string;
  color: string;
  /** Start of the run, ms: what relative times count from. */
  start: number | null;
  /** The edges of a band around it. */
  low?: number[];
  high?: number[];
  /** No line between its points: they go back and forth. */
  dots?: boolean;
}

export interface PlotProps {
  lines: PlotLine[];
  height: number;
  axis: XAxis;
  /** What positions are called. */
  across: string;
  smooth: number;
  logY: boolean;
  logX: boolean;
  dimmed: string | null;
  title: string;
  zoom: [number, number] | null;
  onZoom: (range: [number, number] | null) => void;
  onHover: (run: string | null) => void;
}

type Data = uPlot.AlignedData;

/** Whose a column of the chart's table is, and what of it: the line, the smooth one, an edge of its band. */
interface Owner {
  at: number;
  smooth: boolean;
  edge?: boolean;
}

/** Positions as the axis shows them: steps, seconds since the start, or seconds since 1970. */
export function positions(one: Pick<PlotLine, "start">, axis: XAxis, x: readonly number[]): number[] {
  if (axis === "step" || axis === "placed") return [...x];
  if (axis === "time") return x.map((at) => at / 1000);
  const start = one.start ?? x[0] ?? 0;
  return x.map((at) => (at - start) / 1000);
}

/** Columns for uPlot: for each line the raw one and, when smoothing, the smooth one. */
export function tables(lines: readonly PlotLine[], axis: XAxis, smooth: number, logX: boolean): { data: Data; owners: Owner[] } {
  const parts: [number[], (number | null)[]][] = [];
  const owners: Owner[] = [];
  lines.forEach((one, at) => {
    const { line } = one;
    const keep = (x: number[], y: number[]) => {
      // uPlot takes one value per position: the later one counts.
      const xs: number[] = [];
      const ys: number[] = [];
      for (let each = 0; each < x.length; each++) {
        if (logX && x[each]! <= 0) continue;
        if (xs.length && xs.at(-1) === x[each]) {
          // Both stay visible: a hair to the right draws the same column of pixels.
          xs.push(x[each]! + Number.EPSILON * Math.max(1, Math.abs(x[each]!)) * 4);
        } else xs.push(x[each]!);
        ys.push(y[each]!);
      }
      return [xs, ys] as [number[], number[]];
    };
    parts.push(keep(positions(one, axis, line.x), line.y));
    owners.push({ at, smooth: false });
    if (smooth > 0) {
      const [mx, my, counts] = line.means ?? [line.x, line.y, undefined];
      parts.push(keep(positions(one, axis, mx), ema(my, smooth, counts)));
      owners.push({ at, smooth: true });
    }
    for (const edge of one.low && one.high ? [one.high, one.low] : []) {
      parts.push(keep(positions(one, axis, line.x), edge));
      owners.push({ at, smooth: false, edge: true });
    }
  });
  if (!parts.length) return { data: [[]], owners };
  const data = parts.length === 1 ? ([parts[0]![0], parts[0]![1]] as Data) : uPlot.join(parts as unknown as Data[]);
  return { data, owners };
}

export function Plot(props: PlotProps) {
  const { lines, height, axis, smooth, logY, logX, title } = props;
  const host = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const now = useRef(props);
  now.current = props;
  const dark = isDark.value;
  const made = useMemo(() => tables(lines, axis, smooth, logX), [lines, axis, smooth, logX]);
  const ownersRef = useRef(made.owners);
  ownersRef.current = made.owners;
  const positive = !logY || lines.some((one) => one.line.y.some((value) => value > 0));
  const shape = JSON.stringify([lines.map((one) => [one.line.run, one.line.key, one.color, one.label, !!one.low, !!one.dots]), axis, smooth > 0, logY && positive, logX, dark]);

  useEffect(() => {
    const element = host.current!;
    const width = Math.max(120, element.clientWidth);
    const text = color("text-3");
    const grid = color("grid");
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const common = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } };
    const owners = made.owners;
    const options: uPlot.Options = {
      width,
      height,
      padding: [8, 10, 0, 0],
      legend: { show: false },
      focus: { alpha: 0.22 },
      cursor: {
        focus: { prox: 24 }, drag: { x: true, y: false, setScale: false, dist: 4 },
        points: { size: 7, width: 2, fill: color("bg") },
        sync: { key: `x-${axis}` },
      },
      scales: {
        x: { time: axis === "time", distr: logX ? 3 : 1, ...(logX ? { log: 10 } : {}) },
        y: { distr: logY && positive ? 3 : 1, ...(logY && positive ? { log: 10 } : {}) },
      },
      axes: [
        { ...common, size: 26, gap: 3, space: 56, ...(axis === "relative" ? { values: (_: uPlot, all: number[]) => all.map((one) => (one < 0 ? `−${duration(-one * 1000)}` : one === 0 ? "0" : duration(one * 1000))) } : axis === "step" ? { values: (_: uPlot, all: (number | null)[]) => all.map((one) => (one === null ? "" : Number.isInteger(one) ? short(one) : "")) } : {}) },
        { ...common, size: 50, gap: 3, space: 30, values: (_: uPlot, all: (number | null)[]) => all.map((one) => (one === null ? "" : num(one, 4))) },
      ],
      series: [
        {},
        ...owners.map(({ at, smooth: isSmooth, edge }) => {
          const one = lines[at]!;
          if (edge) return { label: one.label, stroke: "transparent", width: 0, spanGaps: true, points: { show: false } };
          const few = one.line.x.length <= 40;
          const faint = smooth > 0 && !isSmooth;
          return {
            label: one.label, stroke: faint ? `color-mix(in srgb, ${one.color} 26%, transparent)` : one.color, width: faint ? 1 : 1.6,
            spanGaps: true, points: { show: (few || !!one.dots) && !faint, size: one.line.x.length === 1 ? 7 : 4, stroke: one.color, fill: one.color },
            ...(one.dots ? { paths: () => null } : {}),
          };
        }),
      ],
      bands: owners.flatMap(({ at, edge }, index) => (edge && owners[index + 1]?.edge && owners[index + 1]!.at === at ? [{ series: [index + 1, index + 2] as [number, number], fill: `color-mix(in srgb, ${lines[at]!.color} 16%, transparent)` }] : [])),
      hooks: {
        setSelect: [
          (self) => {
            const { left, width: wide } = self.select;
            if (wide < 4) return;
            const range: [number, number] = [self.posToVal(left, "x"), self.posToVal(left + wide, "x")];
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            now.current.onZoom(range);
          },
        ],
        // Values that are no numbers have no height: they are marked at the top of the chart.
        draw: [(self) => drawMarks(self, now.current)],
        setCursor: [(self) => showTip(self, tip.current, now.current, ownersRef.current)],
        setSeries: [
          (self, index) => {
            const owner = index === null ? undefined : ownersRef.current[index - 1];
            if (self.cursor.event) now.current.onHover(owner ? (now.current.lines[owner.at]?.line.run ?? null) : null);
          },
        ],
      },
    };
    const plot = new uPlot(options, made.data, element);
    chart.current = plot;
    const over = plot.over;
    const reset = () => now.current.onZoom(null);
    over.addEventListener("dblclick", reset);
    const watcher = new ResizeObserver(() => {
      const next = Math.max(120, element.clientWidth);
      if (next !== plot.width) plot.setSize({ width: next, height });
    });
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [shape, height]);

  useEffect(() => {
    const plot = chart.current;
    if (!plot) return;
    plot.batch(() => {
      plot.setData(made.data, false);
      const [low, high] = props.zoom ?? [null, null];
      const all = made.data[0] as number[];
      if (low !== null && high !== null) plot.setScale("x", { min: low, max: high });
      else if (all.length) {
        const [first, last] = [all[0]!, all[all.length - 1]!];
        plot.setScale("x", first === last ? { min: first - 1, max: last + 1 } : { min: first, max: last });
      }
    });
  }, [made, props.zoom?.[0], props.zoom?.[1], shape, height]);

  useEffect(() => {
    const plot = chart.current;
    if (!plot) return;
    const wanted = props.dimmed;
    plot.series.forEach((series, index) => {
      if (!index) return;
      const owner = ownersRef.current[index - 1];
      const run = owner && lines[owner.at]?.line.run;
      series.alpha = wanted && run !== wanted ? 0.18 : 1;
    });
    plot.redraw(false, false);
  }, [props.dimmed, shape, made]);

  const move = (event: KeyboardEvent) => {
    const plot = chart.current;
    if (!plot) return;
    const all = plot.data[0] as number[];
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape") props.onZoom(null);
    if (!step || !all.length) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(all.length - 1, (plot.cursor.idx ?? (step > 0 ? -1 : all.length)) + step));
    plot.setCursor({ left: plot.valToPos(all[next]!, "x"), top: plot.over.clientHeight / 2 });
  };
  return (
    <div class="plot" style={{ height: `${height}px` }}>
      <div class="plot-host" ref={host} tabIndex={0} role="img" aria-label={`${title}: ${lines.length} ${lines.length === 1 ? "line" : "lines"}. Arrow keys read values.`} onKeyDown={move} />
      <div class="plot-tip" ref={tip} aria-live="polite" hidden />
    </div>
  );
}

function drawMarks(self: uPlot, props: PlotProps): void {
  const { ctx, bbox } = self;
  for (const one of props.lines) {
    const marks = one.line.marks;
    if (!marks?.length) continue;
    ctx.fillStyle = one.color;
    const places = positions(one, props.axis, marks.map(([at]) => at));
    marks.forEach(([, kind], at) => {
      const x = self.valToPos(places[at]!, "x", true);
      if (!(x >= bbox.left && x <= bbox.left + bbox.width)) return;
      const size = 4 * devicePixelRatio;
      const down = kind === "-Infinity";
      const y = down ? bbox.top + bbox.height : bbox.top;
      ctx.beginPath();
      ctx.moveTo(x - size, y);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + (down ? -size : size) * 1.6);
      ctx.fill();
    });
  }
}

function short(value: number): string {
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (Math.abs(value) >= 1e4) return `${Number((value / 1e3).toPrecision(4))}k`;
  return String(value);
}

const MOST_IN_TIP = 8;

/** The values at the pointer, the nearest line first. Text only: names come from users. */
function showTip(self: uPlot, element: HTMLElement | null, props: PlotProps, owners: Owner[]): void {
  if (!element) return;
  const { left, top, idx } = self.cursor;
  if (idx === null || idx === undefined || left === undefined || left < 0 || top === undefined) {
    element.hidden = true;
    return;
  }
  const x = self.data[0]![idx]!;
  const found: { one: PlotLine; value: number; far: number }[] = [];
  owners.forEach(({ at, smooth, edge }, index) => {
    if (edge || smooth !== props.smooth > 0) return;
    const values = self.data[index + 1] as (number | null | undefined)[];
    const near = nearest(values, idx);
    if (near === null) return;
    const value = values[near]!;
    found.push({ one: props.lines[at]!, value, far: Math.abs(self.valToPos(value, "y") - top) });
  });
  if (!found.length) {
    element.hidden = true;
    return;
  }
  found.sort((a, b) => a.far - b.far);
  const head = document.createElement("div");
  head.className = "tip-head";
  head.textContent = props.axis === "step" ? `step ${Math.round(x)}` : props.axis === "placed" ? `${props.across} ${num(x)}` : props.axis === "relative" ? `after ${duration(Math.max(0, x * 1000))}` : date(x * 1000);
  const lines = found.slice(0, MOST_IN_TIP).map(({ one, value }, index) => {
    const line = document.createElement("div");
    line.className = index === 0 ? "tip-line near" : "tip-line";
    const dot = document.createElement("i");
    dot.style.background = one.color;
    const name = document.createElement("span");
    name.textContent = one.label;
    const number = document.createElement("b");
    const high = one.high?.[positions(one, props.axis, one.line.x).indexOf(x)];
    number.textContent = high === undefined ? num(value) : `${num(value)} ± ${num(high - value, 2)}`;
    line.append(dot, name, number);
    return line;
  });
  if (found.length > MOST_IN_TIP) {
    const more = document.createElement("div");
    more.className = "tip-more";
    more.textContent = `${found.length - MOST_IN_TIP} more`;
    lines.push(more);
  }
  element.replaceChildren(head, ...lines);
  element.hidden = false;
  const box = self.root.getBoundingClientRect();
  const offset = self.over.offsetLeft + left;
  const right = offset + 14 + element.offsetWidth > box.width;
  element.style.left = `${right ? Math.max(0, offset - 14 - element.offsetWidth) : offset + 14}px`;
  element.style.top = `${Math.max(0, Math.min(top, box.height - element.offsetHeight))}px`;
}

/** The nearest place with a value, not far away. */
function nearest(values: readonly (number | null | undefined)[], at: number): number | null {
  for (let far = 0; far < 400; far++) {
    if (values[at - far] !== null && values[at - far] !== undefined) return at - far;
    if (values[at + far] !== null && values[at + far] !== undefined) return at + far;
  }
  return null;
}
