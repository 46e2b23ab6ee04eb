// Lines as a drawing that is kept: axes, bands, lines and a legend, for documents rather than for the pointer.

import { num } from "./format.ts";
import { scaleOf, tickText } from "./scale.ts";

export interface DrawnLine {
  label: string;
  color: string;
  x: readonly number[];
  y: readonly number[];
  low?: readonly number[];
  high?: readonly number[];
}

export interface LinesLook {
  title: string;
  across: string;
  logX: boolean;
  logY: boolean;
  zoom: readonly [number, number] | null;
  text: string;
  faint: string;
  grid: string;
}

const [LEFT, RIGHT, TOP, BOTTOM, ENTRY] = [58, 14, 34, 40, 16];
const MOST_IN_LEGEND = 12;

/** Draws them into a frame of some pixels. */
export function drawLines(pen: CanvasRenderingContext2D, width: number, height: number, lines: readonly DrawnLine[], look: LinesLook): void {
  const inside = (x: number) => !look.zoom || (x >= look.zoom[0] && x <= look.zoom[1]);
  const parts = lines.map((one) => ({ ...one, places: one.x.map((x, at) => ({ x, y: one.y[at]!, low: one.low?.[at], high: one.high?.[at] })).filter((p) => inside(p.x)) }));
  const legend = Math.min(parts.length, MOST_IN_LEGEND) * ENTRY + 6;
  const bottom = height - BOTTOM - (parts.length > 1 ? legend : 0);
  const sx = scaleOf(parts.flatMap((one) => one.places.map((p) => p.x)), look.logX);
  const sy = scaleOf(parts.flatMap((one) => one.places.flatMap((p) => [p.y, p.low, p.high])), look.logY);
  const px = (value: number) => { const at = sx.at(value); return at === null ? null : LEFT + at * (width - LEFT - RIGHT); };
  const py = (value: number) => { const at = sy.at(value); return at === null ? null : bottom - at * (bottom - TOP); };
  pen.fillStyle = look.text;
  pen.textAlign = "start";
  pen.fillText(look.title, LEFT, 18);
  pen.lineWidth = 1;
  pen.strokeStyle = look.grid;
  pen.fillStyle = look.faint;
  const line = (ax: number, ay: number, bx: number, by: number) => {
    pen.beginPath();
    pen.moveTo(ax, ay);
    pen.lineTo(bx, by);
    pen.stroke();
  };
  pen.textAlign = "center";
  for (const tick of sx.ticks) {
    const at = LEFT + tick.at * (width - LEFT - RIGHT);
    line(at, TOP, at, bottom);
    pen.fillText(tick.text, at, bottom + 15);
  }
  pen.fillText(look.across, LEFT + (width - LEFT - RIGHT) / 2, bottom + 31);
  pen.textAlign = "right";
  for (const tick of sy.ticks) {
    const at = bottom - tick.at * (bottom - TOP);
    line(LEFT, at, width - RIGHT, at);
    pen.fillText(tick.text, LEFT - 7, at + 4);
  }
  for (const one of parts) {
    pen.fillStyle = one.color;
    if (one.low && one.high) {
      const edge = [...one.places.map((p) => [p.x, p.high!] as const), ...one.places.toReversed().map((p) => [p.x, p.low!] as const)];
      pen.globalAlpha = 0.16;
      trace(pen, edge.map(([x, y]) => [px(x), py(y)]));
      pen.fill();
      pen.globalAlpha = 1;
    }
    pen.strokeStyle = one.color;
    pen.lineWidth = 1.6;
    trace(pen, one.places.map((p) => [px(p.x), py(p.y)]));
    pen.stroke();
  }
  if (parts.length < 2) return;
  pen.textAlign = "start";
  parts.slice(0, MOST_IN_LEGEND).forEach((one, at) => {
    const top = bottom + BOTTOM + at * ENTRY;
    pen.fillStyle = one.color;
    pen.fillRect(LEFT, top - 4, 12, 3);
    pen.fillStyle = look.text;
    const last = one.places.at(-1);
    pen.fillText(`${one.label.slice(0, 60)}${last ? `  ${num(last.y)}` : ""}${at === MOST_IN_LEGEND - 1 && parts.length > MOST_IN_LEGEND ? `, and ${tickText(parts.length - MOST_IN_LEGEND)} more` : ""}`, LEFT + 18, top);
  });
}

function trace(pen: CanvasRenderingContext2D, places: readonly (readonly [number | null, number | null])[]): void {
  pen.beginPath();
  let isFirst = true;
  for (const [x, y] of places) {
    if (x === null || y === null) continue;
    if (isFirst) pen.moveTo(x, y);
    else pen.lineTo(x, y);
    isFirst = false;
  }
}
