// Contours: scattered values brought onto a grid, and the lines along which it has one height.

export interface Point {
  /** Both in 0..1. */
  x: number;
  y: number;
  value: number;
}

const NEAREST = 8;
// A point this near (in shares of the plot) counts alone.
const TOUCHES = 1e-9;

/** The heights of a grid of columns × rows (row by row, from low y): means of the nearest points, the near ones most. */
export function gridOf(points: readonly Point[], columns: number, rows: number): number[] {
  const found: number[] = new Array(columns * rows);
  const places = merged(points);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [columns > 1 ? column / (columns - 1) : 0.5, rows > 1 ? row / (rows - 1) : 0.5];
      found[row * columns + column] = heightAt(places, x, y);
    }
  }
  return found;
}

/** One point for each place: runs that tried the same are one height, their mean. */
function merged(points: readonly Point[]): Point[] {
  const places = new Map<string, Point & { n: number }>();
  for (const one of points) {
    const key = `${one.x.toFixed(6)} ${one.y.toFixed(6)}`;
    const there = places.get(key);
    if (!there) places.set(key, { ...one, n: 1 });
    else {
      there.n += 1;
      there.value += (one.value - there.value) / there.n;
    }
  }
  return [...places.values()];
}

function heightAt(points: readonly Point[], x: number, y: number): number {
  const near: [number, number][] = [];
  for (const one of points) {
    const far = (one.x - x) ** 2 + (one.y - y) ** 2;
    if (near.length === NEAREST && far >= near[NEAREST - 1]![0]) continue;
    let at = near.length;
    while (at > 0 && near[at - 1]![0] > far) at--;
    near.splice(at, 0, [far, one.value]);
    if (near.length > NEAREST) near.pop();
  }
  const same = near.filter(([far]) => far < TOUCHES);
  if (same.length) return same.reduce((sum, [, value]) => sum + value, 0) / same.length;
  let [sum, weight] = [0, 0];
  for (const [far, value] of near) {
    sum += value / far;
    weight += 1 / far;
  }
  return weight ? sum / weight : NaN;
}

export type Segment = [number, number, number, number];

/** The pieces of the line at a height, in shares of the plot: x1, y1, x2, y2. */
export function isoline(grid: readonly number[], columns: number, rows: number, level: number): Segment[] {
  const found: Segment[] = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = (right: number, up: number) => grid[(row + up) * columns + column + right]!;
      const corners = [at(0, 0), at(1, 0), at(1, 1), at(0, 1)];
      if (corners.some((one) => !Number.isFinite(one))) continue;
      const places = [[0, 0], [1, 0], [1, 1], [0, 1]] as const;
      const crossings: [number, number][] = [];
      for (let side = 0; side < 4; side++) {
        const [a, b] = [corners[side]!, corners[(side + 1) % 4]!];
        if ((a < level) === (b < level)) continue;
        const share = (level - a) / (b - a);
        const [p, q] = [places[side]!, places[(side + 1) % 4]!];
        crossings.push([(column + p[0] + (q[0] - p[0]) * share) / (columns - 1), (row + p[1] + (q[1] - p[1]) * share) / (rows - 1)]);
      }
      for (let each = 0; each + 1 < crossings.length; each += 2) found.push([...crossings[each]!, ...crossings[each + 1]!]);
    }
  }
  return found;
}
