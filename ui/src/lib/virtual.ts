// Which rows and columns are in view: arithmetic only, rows are all of one height.

export interface Span {
  from: number;
  to: number;
}

/** The rows in view, with some above and below. */
export function rowSpan(top: number, height: number, row: number, count: number, extra = 8): Span {
  const from = Math.max(0, Math.floor(top / row) - extra);
  const to = Math.min(count, Math.ceil((top + height) / row) + extra);
  return { from: Math.min(from, count), to: Math.max(to, Math.min(from, count)) };
}

/** Left edges of columns: one more than there are columns, the last is the width of all. */
export function edges(widths: readonly number[]): number[] {
  const found = [0];
  for (const width of widths) found.push(found.at(-1)! + width);
  return found;
}

/** The columns in view, with `extra` pixels to both sides. */
export function columnSpan(left: number, width: number, edge: readonly number[], extra = 200): Span {
  const count = edge.length - 1;
  const from = Math.min(count, Math.max(0, lowerBound(edge, left - extra) - 1));
  const to = Math.min(count, lowerBound(edge, left + width + extra));
  return { from, to: Math.max(from, to) };
}

/** The first place whose value is not below `wanted`. */
export function lowerBound(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The list with `moved` put before (or behind) `target`. */
export function reordered(list: readonly string[], moved: string, target: string, behind: boolean): string[] {
  if (moved === target) return [...list];
  const rest = list.filter((one) => one !== moved);
  const at = rest.indexOf(target);
  if (at < 0) return [...list];
  rest.splice(at + (behind ? 1 : 0), 0, moved);
  return rest;
}
