// Box plots: quartiles as numpy and R have them by default, whiskers to the last point within 1.5 ranges.

export interface Box {
  label: string;
  n: number;
  /** Ends of the whiskers. */
  low: number;
  high: number;
  q1: number;
  median: number;
  q3: number;
  mean: number;
  /** The places of its values among all. */
  members: number[];
}

/** The value below which a share of sorted values lies, between two of them by line. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const before = Math.floor(place);
  const low = sorted[before]!;
  const high = sorted[Math.min(sorted.length - 1, before + 1)]!;
  return low + (high - low) * (place - before);
}

/** A box for each label that has finite values, in the order of `order`. */
export function boxes(labels: readonly (string | null)[], values: readonly (number | null)[], order: readonly string[]): Box[] {
  const members = new Map<string, number[]>();
  labels.forEach((label, at) => {
    const value = values[at];
    if (label === null || value === null || value === undefined || !Number.isFinite(value)) return;
    const own = members.get(label);
    if (own) own.push(at);
    else members.set(label, [at]);
  });
  return order.flatMap((label) => {
    const own = members.get(label);
    if (!own) return [];
    const sorted = own.map((at) => values[at]!).sort((a, b) => a - b);
    const [q1, median, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)];
    const reach = 1.5 * (q3 - q1);
    return [{
      label, n: own.length, q1, median, q3,
      low: sorted.find((one) => one >= q1 - reach)!,
      high: sorted.findLast((one) => one <= q3 + reach)!,
      mean: sorted.reduce((sum, one) => sum + one, 0) / sorted.length,
      members: own,
    }];
  });
}
