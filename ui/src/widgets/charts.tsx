// Charts of the metrics of some runs: cards in sections, mounted while in view, with common settings.

import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { patch, query } from "../app/router.ts";
import { useLoad } from "../app/load.ts";
import { source } from "../data/index.ts";
import type { Line } from "../data/source.ts";
import { worth } from "../lib/columns.ts";
import { count, num, whole } from "../lib/format.ts";
import { Button, Choice, Empty, Failure, Field } from "./parts.tsx";
import { Drop } from "./overlay.tsx";
import { Plot, type PlotLine, type XAxis } from "./plot.tsx";
import { BUCKETS, useSeries } from "./series.ts";
import { csvOf, download } from "../lib/save.ts";

export interface ChartRun {
  id: string;
  name: string;
  color: string;
}

export interface ChartsProps {
  runs: readonly ChartRun[];
  keys: readonly string[];
  hovered: string | null;
  onHover: (run: string | null) => void;
  /** What `runs` are: `the first 10 rows`. */
  which?: string;
  empty?: string;
}

const inView = signal<ReadonlySet<string>>(new Set());

export function readSettings() {
  const now = query.value;
  const axis: XAxis = now["x"] === "relative" || now["x"] === "time" ? now["x"] : "step";
  const smooth = Math.max(0, Math.min(0.999, Number(now["smooth"] ?? 0) || 0));
  return { axis, smooth, logY: now["logy"] === "1", logX: now["logx"] === "1", find: now["find"] ?? "" };
}

/** Keys that a search means: as a regular expression where it is one, as text where not. */
export function matching(keys: readonly string[], find: string): string[] {
  if (!find) return [...keys];
  try {
    const pattern = new RegExp(find, "i");
    return keys.filter((key) => pattern.test(key));
  } catch {
    const lower = find.toLowerCase();
    return keys.filter((key) => key.toLowerCase().includes(lower));
  }
}

/** Keys by what stands before the last slash: sections and keys that people aim at come first. */
export function sections(keys: readonly string[]): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (const key of keys) {
    const cut = key.lastIndexOf("/");
    const section = cut > 0 ? key.slice(0, cut) : "";
    found.set(section, [...(found.get(section) ?? []), key]);
  }
  const rank = (section: string, own: readonly string[]) => (section.startsWith("system") ? -99 : Math.max(...own.map(worth)) - (own.length > 3 && new Set(own.map((key) => key.replace(/\d+/g, "#"))).size === 1 ? 9 : 0));
  for (const own of found.values()) own.sort((a, b) => worth(b) - worth(a) || (a < b ? -1 : 1));
  return [...found].sort(([a, x], [b, y]) => rank(b, y) - rank(a, x) || (a < b ? -1 : 1));
}

export function ChartSettings() {
  const { axis, smooth, logY, logX, find } = readSettings();
  return (
    <div class="chart-bar" role="toolbar" aria-label="Charts">
      <Field label="Find charts" icon="search" value={find} onInput={(event) => patch({ find: event.currentTarget.value || undefined })} />
      <Choice<XAxis> label="Horizontal axis" value={axis} onChange={(value) => patch({ x: value === "step" ? undefined : value })} options={[["step", "Step"], ["relative", "Relative"], ["time", "Time"]]} />
      <label class="slider" title="Smoothing: the raw line stays visible behind">
        <span>Smooth</span>
        <input
          type="range" min="0" max="0.99" step="0.01" value={smooth} aria-label="Smoothing"
          onInput={(event) => patch({ smooth: Number(event.currentTarget.value) ? event.currentTarget.value : undefined })}
        />
        <output>{smooth.toFixed(2)}</output>
      </label>
      <Button kind="quiet" pressed={logY} title="Logarithmic vertical axis" onClick={() => patch({ logy: logY ? undefined : "1" })}>log y</Button>
      <Button kind="quiet" pressed={logX} title="Logarithmic horizontal axis" onClick={() => patch({ logx: logX ? undefined : "1" })}>log x</Button>
    </div>
  );
}

export function Charts({ runs, keys, hovered, onHover, which, empty }: ChartsProps) {
  const { axis, find } = readSettings();
  const found = useMemo(() => matching(keys, find), [keys.join("\n"), find]);
  const ids = runs.map((one) => one.id);
  const wanted = found.filter((key) => inView.value.has(key));
  const state = useSeries(ids, wanted, axis === "step" ? "step" : "time");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  if (!runs.length || !keys.length) return <Empty icon="chart" title="No charts">{empty ?? "These runs have no metrics."}</Empty>;
  return (
    <div class="charts">
      {which && <p class="charts-which">{which}</p>}
      {state.error && !state.lines.size && <Failure error={state.error} />}
      {sections(found).map(([section, own]) => (
        <section key={section}>
          {(section || found.length > own.length) && (
            <h3 class="section-title">
              <button type="button" aria-expanded={!closed.has(section)} onClick={() => setClosed((before) => {
                const next = new Set(before);
                if (!next.delete(section)) next.add(section);
                return next;
              })}>
                {section || "Metrics"} <span class="dim">{own.length}</span>
              </button>
            </h3>
          )}
          {!closed.has(section) && (
            <div class="cards">
              {own.map((key) => (
                <Card key={key} name={key} runs={runs} lines={state.lines.get(key)} starts={state.runs} hovered={hovered} onHover={onHover} />
              ))}
            </div>
          )}
        </section>
      ))}
      {!found.length && <Empty icon="search" title="No chart has this name">Search reads regular expressions: <code>loss|acc</code>.</Empty>}
    </div>
  );
}

function Card({ name, runs, lines, starts, hovered, onHover }: {
  name: string;
  runs: readonly ChartRun[];
  lines: Line[] | undefined;
  starts: Record<string, { start: number | null }>;
  hovered: string | null;
  onHover: (run: string | null) => void;
}) {
  const card = useRef<HTMLElement>(null);
  const [near, setNear] = useState(false);
  const [zoom, setZoom] = useState<[number, number] | null>(null);
  const [large, setLarge] = useState(false);
  const { axis, smooth, logY, logX } = readSettings();
  useEffect(() => {
    const watcher = new IntersectionObserver(
      (all) => {
        const now = all.at(-1)!.isIntersecting;
        setNear(now);
        const next = new Set(inView.value);
        if (now) next.add(name);
        else next.delete(name);
        inView.value = next;
      },
      { rootMargin: "300px" },
    );
    watcher.observe(card.current!);
    return () => {
      watcher.disconnect();
      const next = new Set(inView.value);
      next.delete(name);
      inView.value = next;
    };
  }, [name]);
  useEffect(() => setZoom(null), [axis]);

  // A part is asked for again, so that what was bucketed becomes exact.
  const rough = !!lines?.some((one) => !one.exact);
  const ids = runs.map((one) => one.id);
  const part = useLoad(
    near && zoom && rough && axis !== "relative" ? JSON.stringify([ids, name, axis, zoom]) : null,
    (signal) => source.series({ runs: ids, keys: [name], buckets: BUCKETS, axis: axis === "step" ? "step" : "time", low: axis === "time" ? zoom![0] * 1000 : zoom![0], high: axis === "time" ? zoom![1] * 1000 : zoom![1] }, signal),
  );
  const shown = zoom && part.data && !part.stale ? part.data.series : lines;
  const plotted = useMemo<PlotLine[]>(() => {
    const byId = new Map(runs.map((one) => [one.id, one]));
    return (shown ?? []).filter((one) => byId.has(one.run)).map((line) => {
      const run = byId.get(line.run)!;
      return { line, label: run.name, color: run.color, start: starts[line.run]?.start ?? null };
    });
  }, [shown, runs, starts]);
  const total = plotted.reduce((sum, one) => sum + one.line.n, 0);
  const drawn = plotted.reduce((sum, one) => sum + one.line.x.length, 0);
  const odd = plotted.reduce((sum, one) => sum + (one.line.marks?.length ?? 0), 0);
  const height = large ? 420 : 190;
  const short = name.slice(name.lastIndexOf("/") + 1);
  return (
    <article class={`card ${large ? "large" : ""}`} ref={card} aria-label={`Chart of ${name}`}>
      <header>
        <h4 title={name}>{short}</h4>
        {odd > 0 && <span class="note warn" title={oddTitle(plotted)}>{count(odd, "value")} not finite</span>}
        {drawn < total && <span class="note" title={`Every column of pixels keeps its first, least, greatest and last point. Zoom in to see all of them.`}>{`${whole(total)} points, ${whole(drawn)} drawn`}</span>}
        {zoom && <Button kind="quiet" onClick={() => setZoom(null)}>Reset zoom</Button>}
        <span class="card-tools">
          <Drop label={`Save the chart of ${name}`} icon="download" title="Save">
            {(close) => (
              <div class="menu" role="menu">
                <button type="button" role="menuitem" onClick={() => { close(); savePng(card.current!, name); }}>PNG picture</button>
                <button type="button" role="menuitem" onClick={() => { close(); download(`${name}.csv`, csvOf(["run", "run_id", axis === "step" ? "step" : "time_ms", "value"], plotted.flatMap((one) => one.line.x.map((x, at) => [one.label, one.line.run, x, one.line.y[at]!]))), "text/csv"); }}>CSV of what is drawn</button>
              </div>
            )}
          </Drop>
          <Button kind="quiet" icon="expand" label={large ? "Smaller" : "Larger"} onClick={() => setLarge(!large)} />
        </span>
      </header>
      {near && lines ? (
        plotted.length && total ? (
          plotted.every((one) => one.line.n <= 1) ? <Bars lines={plotted} height={height} dimmed={hovered} onHover={onHover} /> :
          <Plot lines={plotted} height={height} axis={axis} smooth={smooth} logY={logY} logX={logX} dimmed={hovered} title={name} zoom={zoom} onZoom={setZoom} onHover={onHover} />
        ) : (
          <div class="plot-empty" style={{ height: `${height}px` }}>None of these runs has it.</div>
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
            <em>{num(value)}</em>
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

function savePng(card: HTMLElement, name: string): void {
  const canvas = card.querySelector("canvas");
  if (!canvas) return;
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext("2d")!;
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  copy.toBlob((blob) => blob && download(`${name}.png`, blob, "image/png"));
}
