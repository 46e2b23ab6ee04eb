// The series of the charts in view: one request for all of them, only what is missing, again while runs are live.

import { useEffect, useRef, useState } from "preact/hooks";
import { again, online, visible } from "../app/load.ts";
import { source } from "../data/index.ts";
import type { Line, SeriesAnswer } from "../data/source.ts";

export interface SeriesState {
  lines: Map<string, Line[]>;
  runs: SeriesAnswer["runs"];
  error: Error | null;
}

const NOTHING: SeriesState = { lines: new Map(), runs: {}, error: null };

const LIVE = new Set(["RUNNING", "SCHEDULED"]);
/** Charts rest less than tables do, as answers about what has not grown are quick. */
const FEW = 3;
/** What the server answers at a time. */
const MOST_SERIES = 1_000;
/** About two points a pixel: a wider screen gets more. */
export const BUCKETS = Math.min(1200, Math.max(300, Math.round(innerWidth / 3)));

export function useSeries(runs: readonly string[], keys: readonly string[], axis: "step" | "time"): SeriesState {
  const [state, setState] = useState<SeriesState & { axis: string }>({ ...NOTHING, axis });
  const kept = useRef({ name: "", lines: new Map<string, Line[]>(), runs: {} as SeriesAnswer["runs"] });
  const name = `${axis} ${runs.join(",")}`;
  const wanted = keys.join("\n");
  const shown = visible.value;
  useEffect(() => {
    if (!shown || !runs.length) {
      if (!runs.length) setState({ ...NOTHING, axis });
      return;
    }
    if (kept.current.name !== name) kept.current = { name, lines: new Map(), runs: {} };
    const abort = new AbortController();
    let isFirst = true;
    const load = async () => {
      const all = wanted ? wanted.split("\n") : [];
      const missing = !isFirst ? all : all.filter((key) => !kept.current.lines.has(key));
      try {
        const portion = Math.max(1, Math.min(24, Math.floor(MOST_SERIES / runs.length)));
        for (let at = 0; at < missing.length; at += portion) {
          const part = missing.slice(at, at + portion);
          const found = await source.series({ runs, keys: part, buckets: BUCKETS, axis }, abort.signal);
          if (abort.signal.aborted) return;
          online.value = true;
          let changed = false;
          for (const key of part) {
            const lines = found.series.filter((one) => one.key === key);
            const before = kept.current.lines.get(key);
            if (before && before.length === lines.length && before.every((one, index) => same(one, lines[index]!))) continue;
            kept.current.lines.set(key, lines);
            changed = true;
          }
          kept.current.runs = { ...kept.current.runs, ...found.runs };
          if (changed) setState({ lines: new Map(kept.current.lines), runs: kept.current.runs, error: null, axis });
        }
        if (!missing.length) setState({ lines: new Map(kept.current.lines), runs: kept.current.runs, error: null, axis });
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((before) => ({ ...before, error: error instanceof Error ? error : new Error(String(error)) }));
      }
      isFirst = false;
    };
    const stop = again(load, () => (Object.values(kept.current.runs).some((one) => LIVE.has(one.status)) ? 1_500 : 15_000), FEW);
    return () => {
      abort.abort();
      stop();
    };
  }, [name, wanted, shown]);
  // Positions along another axis would be drawn in the wrong place.
  return state.axis === axis ? state : NOTHING;
}

function same(a: Line, b: Line): boolean {
  return a.run === b.run && a.n === b.n && a.x.length === b.x.length && a.x.at(-1) === b.x.at(-1) && a.y.at(-1) === b.y.at(-1) && (a.marks?.length ?? 0) === (b.marks?.length ?? 0);
}
