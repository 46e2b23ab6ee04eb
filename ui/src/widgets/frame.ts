// The frame of a plot of two axes on a canvas: grid, ticks and names.

import { color } from "../app/theme.ts";
import type { Scale } from "../lib/scale.ts";
import type { Brush } from "./canvas.ts";
import { fit } from "./parallel.tsx";

export const PAD = { top: 14, bottom: 42, left: 64, right: 16 };

type Ticks = Pick<Scale, "ticks">;

/** Where shares of both axes are, in pixels. */
export function placesOf(width: number, height: number) {
  return {
    px: (at: number) => PAD.left + at * (width - PAD.left - PAD.right),
    py: (at: number) => height - PAD.bottom - at * (height - PAD.top - PAD.bottom),
  };
}

/** Which of the points, given as parts of the frame, is nearest to a place; -1 where none is near. */
export function pointAt(points: readonly { x: number; y: number }[], left: number, top: number, [width, height]: readonly [number, number]): number {
  const { px, py } = placesOf(width, height);
  let [found, far] = [-1, 14 * 14];
  points.forEach((one, at) => {
    const distance = (px(one.x) - left) ** 2 + (py(one.y) - top) ** 2;
    if (distance < far) [found, far] = [at, distance];
  });
  return found;
}

/** The name of a column without its kind. */
export function nameOf(id: string): string {
  return id.slice(id.indexOf(".") + 1);
}

/** Draws grid, ticks and names; `across` and `up` say whether their ticks have lines. */
export function drawFrame({ context, width, height }: Brush, x: Ticks, y: Ticks, xName: string, yName: string, across = true, up = true): void {
  const { px, py } = placesOf(width, height);
  const line = (ax: number, ay: number, bx: number, by: number) => {
    context.beginPath();
    context.moveTo(ax, ay);
    context.lineTo(bx, by);
    context.stroke();
  };
  context.clearRect(0, 0, width, height);
  context.strokeStyle = color("grid");
  context.lineWidth = 1;
  context.fillStyle = color("text-2");
  context.textAlign = "center";
  const room = (width - PAD.left - PAD.right) / Math.max(1, x.ticks.length);
  for (const tick of x.ticks) {
    if (across) line(px(tick.at), PAD.top, px(tick.at), height - PAD.bottom);
    context.fillText(fit(context, tick.text, Math.max(28, Math.min(110, room - 6))), px(tick.at), height - PAD.bottom + 16);
  }
  context.textAlign = "right";
  for (const tick of y.ticks) {
    if (up) line(PAD.left, py(tick.at), width - PAD.right, py(tick.at));
    context.fillText(fit(context, tick.text, 56), PAD.left - 8, py(tick.at) + 4);
  }
  context.fillStyle = color("text");
  context.textAlign = "center";
  context.fillText(xName, PAD.left + (width - PAD.left - PAD.right) / 2, height - 8);
  context.save();
  context.translate(12, PAD.top + (height - PAD.top - PAD.bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(yName, 0, 0);
  context.restore();
}

/** Ticks in the middle of equal parts, for categories. */
export function partTicks(labels: readonly string[], most = 16): Ticks {
  const step = Math.max(1, Math.ceil(labels.length / most));
  return { ticks: labels.map((text, at) => ({ at: (at + 0.5) / labels.length, text })).filter((_, at) => at % step === 0) };
}
