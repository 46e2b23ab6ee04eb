// Charts of the metrics of some runs: cards in sections, mounted while in view, with common settings.

import { useMemo, useState } from "preact/hooks";
import { patch, query } from "../app/router.ts";
import { worth } from "../lib/columns.ts";
import { parse, type Expression } from "../lib/expression.ts";
import { list, readList } from "../lib/url.ts";
import { Card, inView } from "./card.tsx";
import { Ask } from "./overlay.tsx";
import { Button, Choice, Empty, Failure, Field } from "./parts.tsx";
import { useSeries } from "./series.ts";

type Axis = "step" | "relative" | "time";

export interface Settings {
  axis: Axis;
  /** The metric whose values are positions; empty for none. */
  across: string;
  smooth: number;
  logY: boolean;
  logX: boolean;
  find: string;
}

export interface ChartRun {
  id: string;
  name: string;
  color: string;
  /** Runs of one group are shown as their mean and spread. */
  group?: string;
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

const OVER = "m:";

export function readSettings(): Settings {
  const now = query.value;
  const x = now["x"] ?? "";
  const smooth = Math.max(0, Math.min(0.999, Number(now["smooth"] ?? 0) || 0));
  const axis = x === "relative" || x === "time" ? x : "step";
  return { axis, across: x.startsWith(OVER) ? x.slice(OVER.length) : "", smooth, logY: now["logy"] === "1", logX: now["logx"] === "1", find: now["find"] ?? "" };
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
  const { axis, across, smooth, logY, logX, find } = readSettings();
  return (
    <div class="chart-bar" role="toolbar" aria-label="Charts">
      <Field label="Find charts" icon="search" value={find} onInput={(event) => patch({ find: event.currentTarget.value || undefined })} />
      <Choice<Axis | ""> label="Horizontal axis" value={across ? "" : axis} onChange={(value) => patch({ x: value === "step" ? undefined : value })} options={[["step", "Step"], ["relative", "Relative"], ["time", "Time"]]} />
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

/** What is computed from metrics, as the address has it; what cannot be read here is left out. */
function useComputed(keys: readonly string[]): { text: string; expression: Expression }[] {
  const calc = query.value["calc"];
  return useMemo(() => readList(calc).flatMap((text) => {
    try {
      return [{ text, expression: parse(text, keys) }];
    } catch {
      return [];
    }
  }), [calc, keys.join("\n")]);
}

function whatIsWrong(text: string, keys: readonly string[]): string | null {
  try {
    parse(text, keys);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function Charts({ runs, keys, hovered, onHover, which, empty }: ChartsProps) {
  const settings = readSettings();
  const { axis, across, find } = settings;
  const found = useMemo(() => matching(keys, find), [keys.join("\n"), find]);
  const made = useComputed(keys);
  const ids = runs.map((one) => one.id);
  const wanted = [...new Set([
    ...found.filter((key) => inView.value.has(key)),
    ...made.filter((one) => inView.value.has(one.text)).flatMap((one) => one.expression.keys),
    ...(across ? [across] : []),
  ])];
  const state = useSeries(ids, wanted, axis === "step" ? "step" : "time");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState(false);
  if (!runs.length || !keys.length) return <Empty icon="chart" title="No charts">{empty ?? "These runs have no metrics."}</Empty>;
  const shared = { runs, all: state.lines, starts: state.runs, settings, hovered, onHover };
  const setMade = (texts: readonly string[]) => patch({ calc: list(texts) || undefined });
  return (
    <div class="charts">
      <div class="charts-line">
        {which && <p class="charts-which">{which}</p>}
        <label class="pick">
          <span>Over</span>
          <select aria-label="A metric as horizontal axis" value={across} onChange={(event) => patch({ x: event.currentTarget.value ? OVER + event.currentTarget.value : undefined })}>
            <option value="">{axis === "step" ? "steps" : axis === "time" ? "time" : "time since the start"}</option>
            {keys.map((key) => <option key={key} value={key}>{key}</option>)}
          </select>
        </label>
        <Button kind="quiet" icon="plus" onClick={() => setAsking(true)}>Computed metric</Button>
      </div>
      {state.error && !state.lines.size && <Failure error={state.error} />}
      {made.length > 0 && (
        <section>
          <h3 class="section-title">Computed</h3>
          <div class="cards">
            {made.map(({ text, expression }) => <Card key={text} name={text} expression={expression} onRemove={() => setMade(readList(query.value["calc"]).filter((one) => one !== text))} {...shared} />)}
          </div>
        </section>
      )}
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
          {!closed.has(section) && <div class="cards">{own.map((key) => <Card key={key} name={key} {...shared} />)}</div>}
        </section>
      ))}
      {!found.length && <Empty icon="search" title="No chart has this name">Search reads regular expressions: <code>loss|acc</code>.</Empty>}
      {asking && (
        <Ask
          title="Computed metric" label="Expression" action="Show" hint="Such as val/loss - train/loss, or log(loss). Names with odd letters stand in backquotes. Knows + - * / ^ ( ), abs, sqrt, exp, log, log2, log10, min, max."
          wrong={(text) => whatIsWrong(text, keys)} onClose={() => setAsking(false)} onDone={(text) => setMade([...new Set([...readList(query.value["calc"]), text])])}
        />
      )}
    </div>
  );
}
