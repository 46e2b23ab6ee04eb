// Lines brought together: on one axis, as one computed line, over another line, as mean and spread.

export interface XY {
  x: readonly number[];
  y: readonly number[];
}

export interface Band {
  x: number[];
  mean: number[];
  low: number[];
  high: number[];
}

/** The value of a line at a position, between two points by line; NaN before its first and behind its last. */
export function valueAt({ x, y }: XY, at: number): number {
  let [low, high] = [0, x.length - 1];
  if (high < 0 || !(at >= x[0]!) || at > x[high]!) return NaN;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= at) low = middle;
    else high = middle;
  }
  if (x[high] === at) return y[high]!;
  if (x[low] === at || x[high] === x[low]) return y[low]!;
  return y[low]! + ((y[high]! - y[low]!) * (at - x[low]!)) / (x[high]! - x[low]!);
}

/** All positions of some lines, each once, in order. */
export function union(lines: readonly XY[]): number[] {
  return [...new Set(lines.flatMap((one) => [...one.x]))].sort((a, b) => a - b);
}

/** The line of a value that is computed from others, wherever all of them have one. */
export function computed(lines: ReadonlyMap<string, XY>, value: (of: (key: string) => number) => number): { x: number[]; y: number[] } {
  const found = { x: [] as number[], y: [] as number[] };
  for (const at of union([...lines.values()])) {
    const y = value((key) => (lines.has(key) ? valueAt(lines.get(key)!, at) : NaN));
    if (!Number.isFinite(y)) continue;
    found.x.push(at);
    found.y.push(y);
  }
  return found;
}

/** A line over the values that another one had at the same positions, in the order of those. */
export function over(line: XY, across: XY): { x: number[]; y: number[]; isFunction: boolean } {
  const pairs: [number, number][] = [];
  let back = 0;
  line.x.forEach((at, each) => {
    const x = valueAt(across, at);
    if (!Number.isFinite(x)) return;
    if (pairs.length && x < pairs.at(-1)![0]) back++;
    pairs.push([x, line.y[each]!]);
  });
  pairs.sort((a, b) => a[0] - b[0]);
  // What goes back and forth is no line over its axis: it is shown as points.
  return { x: pairs.map((one) => one[0]), y: pairs.map((one) => one[1]), isFunction: back * 20 <= pairs.length };
}

/** Mean and standard deviation (of a sample) of some lines at every position that at least one of them reaches. */
export function bandOf(lines: readonly XY[]): Band {
  const found: Band = { x: [], mean: [], low: [], high: [] };
  for (const at of union(lines)) {
    const values = lines.map((one) => valueAt(one, at)).filter(Number.isFinite);
    if (!values.length) continue;
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    const sd = values.length > 1 ? Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1)) : 0;
    found.x.push(at);
    found.mean.push(mean);
    found.low.push(mean - sd);
    found.high.push(mean + sd);
  }
  return found;
}
