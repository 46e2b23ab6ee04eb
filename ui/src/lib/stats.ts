// Which params matter: rank correlation for numbers, the share of explained spread for categories.

import { metric, spelled, type Cell } from "./format.ts";

export interface Weight {
  key: string;
  /** 0 to 1. */
  strength: number;
  /** The direction for numbers: 1 grows with it; null for categories. */
  direction: number | null;
}

/** Ranks from 1; equal values share the mean of theirs. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((value, at) => [value, at] as const).sort((a, b) => a[0] - b[0]);
  const found: number[] = new Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && order[to + 1]![0] === order[from]![0]) to++;
    for (let at = from; at <= to; at++) found[order[at]![1]] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return found;
}

/** Of ranks it is Spearman's; 0 where one side does not vary. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  if (n < 3) return 0;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let at = 0; at < n; at++) {
    const [x, y] = [a[at]! - ma, b[at]! - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa && bb ? ab / Math.sqrt(aa * bb) : 0;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** The share of the spread of `y` that groups explain, less what chance would (epsilon squared). */
export function explained(groups: readonly string[], y: readonly number[]): number {
  const n = y.length;
  const by = new Map<string, number[]>();
  groups.forEach((group, at) => by.set(group, [...(by.get(group) ?? []), y[at]!]));
  if (by.size < 2 || n <= by.size) return 0;
  const all = mean(y);
  const total = y.reduce((sum, one) => sum + (one - all) ** 2, 0);
  if (!total) return 0;
  let within = 0;
  for (const part of by.values()) {
    const own = mean(part);
    for (const one of part) within += (one - own) ** 2;
  }
  return Math.max(0, 1 - (within / (n - by.size)) / (total / (n - 1)));
}

/** Params by how much a metric depends on each, the strongest first. */
export function weights(columns: Record<string, Cell[]>, params: readonly string[], target: string): Weight[] {
  const goal = (columns[target] ?? []).map((cell) => metric(cell));
  const found = params.map((key): Weight => {
    const pairs: [Cell, number][] = [];
    (columns[key] ?? []).forEach((cell, at) => {
      const value = goal[at];
      if (cell !== null && cell !== undefined && value !== null && value !== undefined && Number.isFinite(value)) pairs.push([cell, value]);
    });
    if (pairs.length < 4) return { key, strength: 0, direction: null };
    const numbers = pairs.map(([cell]) => spelled(cell));
    const y = ranks(pairs.map(([, value]) => value));
    if (numbers.every((one) => one !== null)) {
      const own = ranks(numbers as number[]);
      const r = correlation(own, y);
      // A best value in the middle has no direction, and is found by the spread between fifths.
      const fifths = own.map((rank) => String(Math.min(4, Math.floor(((rank - 1) / own.length) * 5))));
      const curved = Math.sqrt(explained(fifths, y));
      return curved > Math.abs(r) + 0.1 ? { key, strength: curved, direction: null } : { key, strength: Math.abs(r), direction: Math.sign(r) };
    }
    return { key, strength: Math.sqrt(explained(pairs.map(([cell]) => String(cell)), y)), direction: null };
  });
  return found.sort((a, b) => b.strength - a.strength);
}
