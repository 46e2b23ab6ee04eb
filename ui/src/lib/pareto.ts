// The Pareto front: the runs that no other run beats in both of two metrics.

/** The places on the front, from the best of the first metric to the best of the second; equals are all on it. */
export function front(first: readonly (number | null)[], second: readonly (number | null)[], lessFirst: boolean, lessSecond: boolean): number[] {
  const cost = (value: number, less: boolean) => (less ? value : -value);
  const points: { at: number; a: number; b: number }[] = [];
  first.forEach((value, at) => {
    const other = second[at];
    if (value === null || other === null || other === undefined || !Number.isFinite(value) || !Number.isFinite(other)) return;
    points.push({ at, a: cost(value, lessFirst), b: cost(other, lessSecond) });
  });
  points.sort((p, q) => p.a - q.a || p.b - q.b);
  const found: number[] = [];
  let last: { a: number; b: number } | null = null;
  for (const one of points) {
    if (last && one.b >= last.b && !(one.a === last.a && one.b === last.b)) continue;
    found.push(one.at);
    last = one;
  }
  return found;
}
