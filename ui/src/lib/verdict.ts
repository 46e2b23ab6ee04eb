// A verdict on groups of runs that differ in luck only: how far the best is ahead of each other, and how sure that is.

import { metric, spelled, type Cell } from "./format.ts";
import { same } from "./diff.ts";

/** Numbers from a seed: the same data gets the same verdict, today and tomorrow. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** The standard deviation of a sample; 0 for a single value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (values.length - 1));
}

const RESAMPLES = 10_000;

/**
 * The interval in which the difference of the means of two groups lies, `a` less `b`, by the bootstrap.
 *
 * Resampling a few values makes their spread too small by (n - 1) / n; they are spread that much first.
 *
 * @param level how sure it is to be, such as 0.95.
 */
export function difference(a: readonly number[], b: readonly number[], level: number): { difference: number; low: number; high: number } {
  const luck = random(a.length * 7919 + b.length);
  const resampled = (values: readonly number[]) => {
    const middle = mean(values);
    const stretch = Math.sqrt(values.length / Math.max(1, values.length - 1));
    const spread = values.map((one) => middle + (one - middle) * stretch);
    return () => {
      let sum = 0;
      for (let each = 0; each < spread.length; each++) sum += spread[Math.floor(luck() * spread.length)]!;
      return sum / spread.length;
    };
  };
  const [one, other] = [resampled(a), resampled(b)];
  const found = Float64Array.from({ length: RESAMPLES }, () => one() - other()).sort();
  const at = (share: number) => {
    const place = (RESAMPLES - 1) * share;
    const before = Math.floor(place);
    return found[before]! + (found[Math.min(RESAMPLES - 1, before + 1)]! - found[before]!) * (place - before);
  };
  const tail = (1 - level) / 2;
  return { difference: mean(a) - mean(b), low: at(tail), high: at(1 - tail) };
}

export interface Sample {
  label: string;
  /** The places of its runs among those compared. */
  members: number[];
  values: number[];
}

export interface Judged extends Sample {
  mean: number;
  sd: number;
  /** How far the best is ahead of it; null for the best itself, and where a group has one run only. */
  ahead: { difference: number; low: number; high: number } | null;
  /** Whether the best is better, as far as these runs tell. */
  told: "best" | "worse" | "open" | "few";
}

/**
 * Groups from the best to the worst, each held against the best.
 *
 * Among many groups some are ahead by luck: each comparison is made surer by their number (Bonferroni), so that
 * all of them together are wrong once in twenty times.
 */
export function judge(samples: readonly Sample[], less: boolean): Judged[] {
  const found = samples.filter((one) => one.values.length).map((one) => ({ ...one, mean: mean(one.values), sd: deviation(one.values) }));
  found.sort((a, b) => (less ? a.mean - b.mean : b.mean - a.mean));
  const [best] = found;
  const level = levelFor(found.length);
  return found.map((one) => {
    if (one === best) return { ...one, ahead: null, told: "best" };
    if (one.values.length < 2 || best!.values.length < 2) return { ...one, ahead: null, told: "few" };
    const ahead = less ? difference(one.values, best!.values, level) : difference(best!.values, one.values, level);
    return { ...one, ahead, told: ahead.low > 0 ? "worse" : "open" };
  });
}

/** How sure each comparison has to be, for so many groups. */
export function levelFor(groups: number): number {
  return 1 - 0.05 / Math.max(1, groups - 1);
}

const LUCK = /(^|[_.\-/])(random_?)?(seed|state|fold|split|repeat|trial)s?$/i;

/** Whether a param is one that only draws lots. */
export function isLuck(key: string): boolean {
  return LUCK.test(key);
}

/** The groups of runs whose params are the same but for those that draw lots, and what tells them apart. */
export function samplesOf(columns: Record<string, Cell[]>, goal: string): { samples: Sample[]; by: string[] } {
  const by = Object.keys(columns).filter((id) => id.startsWith("params.") && !isLuck(id.slice(7)) && columns[id]!.some((cell) => !same(cell, columns[id]![0])));
  const found = new Map<string, Sample>();
  (columns["attributes.run_id"] ?? []).forEach((_, at) => {
    const value = metric(columns[goal]?.[at]);
    const label = by.map((id) => `${id.slice(7)}=${plain(columns[id]![at])}`).join(", ") || "all runs";
    const own = found.get(label) ?? { label, members: [], values: [] };
    own.members.push(at);
    if (value !== null && Number.isFinite(value)) own.values.push(value);
    found.set(label, own);
  });
  return { samples: [...found.values()], by };
}

/** A value as groups know it: `0.10` is `0.1`. */
function plain(cell: Cell): string {
  const number = spelled(cell);
  return number === null ? String(cell ?? "none") : String(number);
}

/** What else differs between two groups: tags, data and code that none of their runs share. */
export function alsoChanged(columns: Record<string, Cell[]>, datasets: readonly (readonly [string, string])[][], a: readonly number[], b: readonly number[]): string[] {
  const names: [string, string][] = [["tags.mlflow.source.git.commit", "commit"], ["tags.mlflow.source.name", "program"], ["attributes.user_id", "user"], ["attributes.experiment_id", "experiment"]];
  const apart = (of: (at: number) => string) => {
    const seen = new Set(a.map(of));
    return !b.some((at) => seen.has(of(at)));
  };
  const found = names.filter(([id]) => columns[id] && apart((at) => String(columns[id]![at] ?? ""))).map(([, name]) => name);
  if (datasets.some((own) => own.length) && apart((at) => (datasets[at] ?? []).map((one) => one.join("@")).sort().join())) found.push("data");
  return found;
}
