// Heat maps of two params: the mean of a metric for every pair of values, many numbers in ranges.

import { metric, spelled, type Cell } from "./format.ts";
import { tickText } from "./scale.ts";

export interface HeatCell {
  x: number;
  y: number;
  mean: number;
  n: number;
  /** The places of its runs among all. */
  members: number[];
}

export interface Heat {
  x: string[];
  y: string[];
  cells: HeatCell[];
}

const MOST_VALUES = 16;
const RANGES = 10;

/** The bins of some cells: their labels, and the bin of each; -1 for what has no value. */
export function binned(cells: readonly Cell[]): { labels: string[]; at: number[] } {
  const there = cells.filter((cell) => cell !== null && cell !== undefined && cell !== "");
  const read = (cell: Cell) => metric(cell) ?? spelled(cell);
  const numbers = there.map(read);
  const isNumeric = there.length > 0 && numbers.every((one) => one !== null && Number.isFinite(one));
  const distinct = [...new Set(there.map((cell) => (isNumeric ? String(read(cell)) : String(cell))))];
  if (!isNumeric || distinct.length <= MOST_VALUES) {
    const labels = distinct.sort((a, b) => (isNumeric ? Number(a) - Number(b) : a < b ? -1 : 1)).slice(0, 60);
    const place = new Map(labels.map((label, at) => [label, at]));
    const shown = isNumeric ? labels.map((label) => tickText(Number(label))) : labels;
    return { labels: shown, at: cells.map((cell) => place.get(isNumeric ? String(read(cell)) : String(cell)) ?? -1) };
  }
  const values = numbers as number[];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isLog = low > 0 && high / low > 100;
  const to = isLog ? Math.log10 : (value: number) => value;
  const back = isLog ? (value: number) => 10 ** value : (value: number) => value;
  const [from, span] = [to(low), to(high) - to(low)];
  const labels = Array.from({ length: RANGES }, (_, at) => `${tickText(Number(back(from + (span * at) / RANGES).toPrecision(2)))}–${tickText(Number(back(from + (span * (at + 1)) / RANGES).toPrecision(2)))}`);
  return {
    labels,
    at: cells.map((cell) => {
      const value = read(cell);
      return value === null || cell === "" || !Number.isFinite(value) ? -1 : Math.min(RANGES - 1, Math.floor(((to(value) - from) / span) * RANGES));
    }),
  };
}

/** The means of `values` over the bins of two columns. */
export function heat(xs: readonly Cell[], ys: readonly Cell[], values: readonly (number | null)[]): Heat {
  const [bx, by] = [binned(xs), binned(ys)];
  const found = new Map<number, HeatCell>();
  values.forEach((value, at) => {
    const [x, y] = [bx.at[at] ?? -1, by.at[at] ?? -1];
    if (x < 0 || y < 0 || value === null || !Number.isFinite(value)) return;
    const key = y * bx.labels.length + x;
    const cell = found.get(key) ?? { x, y, mean: 0, n: 0, members: [] };
    cell.n += 1;
    cell.mean += (value - cell.mean) / cell.n;
    cell.members.push(at);
    found.set(key, cell);
  });
  return { x: bx.labels, y: by.labels, cells: [...found.values()].sort((a, b) => a.y - b.y || a.x - b.x) };
}
