// Scales of charts that draw themselves: numbers, logarithms and categories onto pixels.

import { spelled, metric, type Cell } from "./format.ts";

export interface Scale {
  kind: "linear" | "log" | "category";
  /** The place of a value in 0..1; null for what has none. */
  at: (value: Cell) => number | null;
  ticks: { at: number; text: string }[];
  /** The value of a place, for numbers. */
  invert: (at: number) => number;
  categories: string[];
  low: number;
  high: number;
}

/** Round numbers between two ends, about `wanted` of them. */
export function ticks(low: number, high: number, wanted = 5): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? power * 10;
  const found: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) found.push(Number((at * step).toPrecision(12)));
  return found;
}

/**
 * A scale that fits some cells.
 *
 * Numbers are spread over powers of ten where they are positive and span more than two of them and
 * `log` does not say otherwise. Texts are categories, in the order of how they sort.
 */
export function scaleOf(cells: readonly Cell[], log: boolean | null = null): Scale {
  const there = cells.filter((cell) => cell !== null && cell !== undefined && cell !== "");
  const numbers = there.map((cell) => metric(cell) ?? spelled(cell));
  const finite = numbers.filter((one): one is number => one !== null && Number.isFinite(one));
  const isNumeric = there.length > 0 && numbers.every((one) => one !== null) && finite.length > 0;
  const distinct = [...new Set(there.map(String))];
  // A few settings that were tried again and again stand apart evenly, though they are numbers.
  const isOrdinal = isNumeric && there.every((cell) => typeof cell === "string") && distinct.length <= 8 && distinct.length * 3 <= there.length;
  if (isNumeric && !isOrdinal) return numeric(finite, log);
  const categories = distinct.sort((a, b) => (isOrdinal ? Number(a) - Number(b) : a < b ? -1 : 1)).slice(0, 200);
  const index = new Map(categories.map((one, at) => [one, at]));
  const place = (at: number) => (categories.length === 1 ? 0.5 : (at + 0.5) / categories.length);
  const step = Math.max(1, Math.ceil(categories.length / 14));
  return {
    kind: "category",
    categories,
    low: 0,
    high: categories.length,
    at: (value) => {
      const found = value === null || value === undefined ? undefined : index.get(String(value));
      return found === undefined ? null : place(found);
    },
    ticks: categories.map((text, at) => ({ at: place(at), text })).filter((_, at) => at % step === 0),
    invert: () => NaN,
  };
}

function numeric(finite: readonly number[], log: boolean | null): Scale {
  let low = Math.min(...finite.slice(0, 1), Infinity);
  let high = -Infinity;
  for (const value of finite) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const isLog = low > 0 && (log ?? high / low > 100);
  if (low === high) {
    const pad = low === 0 ? 1 : Math.abs(low) * 0.1;
    low -= pad;
    high += pad;
  }
  const read = (value: Cell) => {
    const found = metric(value) ?? spelled(value);
    return found !== null && Number.isFinite(found) ? found : null;
  };
  if (isLog) {
    const [a, b] = [Math.log10(low), Math.log10(high)];
    const powers: number[] = [];
    for (let power = Math.ceil(a - 1e-9); power <= b + 1e-9; power++) powers.push(10 ** power);
    const marks = powers.length >= 2 ? powers : [low, high];
    return {
      kind: "log", categories: [], low, high,
      at: (value) => {
        const found = read(value);
        return found !== null && found > 0 ? (Math.log10(found) - a) / (b - a) : null;
      },
      ticks: marks.map((one) => ({ at: (Math.log10(one) - a) / (b - a), text: tickText(one) })),
      invert: (at) => 10 ** (a + at * (b - a)),
    };
  }
  return {
    kind: "linear", categories: [], low, high,
    at: (value) => {
      const found = read(value);
      return found === null ? null : (found - low) / (high - low);
    },
    ticks: ticks(low, high).map((one) => ({ at: (one - low) / (high - low), text: tickText(one) })),
    invert: (at) => low + at * (high - low),
  };
}

export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
  return String(Number(value.toPrecision(5)));
}
