// The trash as a list: what lies in a deleted experiment goes and comes back with it.

import type { TrashAsk, TrashItem } from "../data/source.ts";
import { count } from "./format.ts";

export interface TrashLine extends TrashItem {
  /** How many runs lie in it, for an experiment. */
  runs: number;
}

/** A line for each thing that can be restored by itself: the largest first. */
export function trashLines(items: readonly TrashItem[]): TrashLine[] {
  const experiments = new Map<string, TrashLine>();
  for (const one of items) if (one.kind === "experiment") experiments.set(one.id, { ...one, runs: 0 });
  const found = [...experiments.values()];
  for (const one of items) {
    if (one.kind === "experiment") continue;
    const above = experiments.get(one.experiment);
    if (!above) {
      found.push({ ...one, runs: 0 });
      continue;
    }
    above.bytes += one.bytes;
    above.runs += Number(one.kind === "run");
    above.stays ??= one.stays;
  }
  return found.sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

/** `2 runs and 1 experiment`; `nothing` for nothing. */
export function counted(counts: Record<TrashItem["kind"], number>): string {
  const parts = (["experiment", "run", "model"] as const).filter((kind) => counts[kind]).map((kind) => count(counts[kind], kind));
  return parts.length ? [parts.slice(0, -1).join(", "), parts.at(-1)!].filter(Boolean).join(" and ") : "nothing";
}

const AT_ONCE = 100;

/** The requests that remove what is named: each finishes what it names, as a name of what is gone is refused. */
export function partsOf(which: TrashAsk): TrashAsk[] {
  if (!which.runs && !which.models && !which.experiments) return [{}];
  const cut = (kind: "runs" | "models", ids: readonly string[]): TrashAsk[] =>
    Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, at) => ({ [kind]: ids.slice(at * AT_ONCE, (at + 1) * AT_ONCE) }));
  // An experiment goes after its runs, and may take several requests: it is alone in them.
  return [...cut("runs", which.runs ?? []), ...cut("models", which.models ?? []), ...(which.experiments ?? []).map((one) => ({ experiments: [one] }))];
}
