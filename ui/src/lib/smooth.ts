// Smoothing of lines: an exponential mean that starts without bias and knows how many points a bucket holds.

/**
 * The smoothed values of a line.
 *
 * @param values the points.
 * @param weight 0 leaves them, 0.99 is very smooth: the share that is kept from one point to the next.
 * @param counts how many points each value stands for; 1 each when left out.
 */
export function ema(values: readonly number[], weight: number, counts?: readonly number[]): number[] {
  if (weight <= 0) return [...values];
  const found: number[] = new Array(values.length);
  let sum = 0;
  let mass = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    const kept = counts ? weight ** counts[at]! : weight;
    if (Number.isFinite(value)) {
      sum = sum * kept + value * (1 - kept);
      mass = mass * kept + (1 - kept);
    }
    found[at] = mass > 0 ? sum / mass : value;
  }
  return found;
}
