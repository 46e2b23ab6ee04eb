// Parallel coordinates: a line for each run over axes of params and metrics; dragging on an axis keeps a range.

import { useMemo } from "preact/hooks";
import { color, isDark } from "../app/theme.ts";
import { ramp } from "../lib/colors.ts";
import { scaleOf, type Scale } from "../lib/scale.ts";
import type { Brush } from "./canvas.ts";
import { Figure } from "./figure.tsx";
import { nameOf } from "./frame.ts";
import type { ManyProps } from "./scatter.tsx";

export type Range = [number, number];

const PAD = { top: 46, bottom: 22, left: 60, right: 60 };

export interface ParallelProps extends ManyProps {
  axes: readonly string[];
  colorBy: string;
  /** Whether less of `colorBy` is better: the best are read first, and drawn above the others. */
  less: boolean;
  /** Called with the ranges that are kept. */
  onRanges: (ranges: Record<string, Range>) => void;
  ranges: Record<string, Range>;
}

export function Parallel({ ids, columns, axes, colorBy, less, hovered, onHover, onOpen, onRanges, ranges }: ParallelProps) {
  const scales = useMemo(() => axes.map((id) => scaleOf(columns[id] ?? [])), [columns, axes.join("\n")]);
  const tint = useMemo(() => scaleOf(columns[colorBy] ?? []), [columns, colorBy]);
  const places = useMemo(() => {
    const found = new Float32Array(ids.length * axes.length).fill(NaN);
    axes.forEach((id, axis) => {
      const cells = columns[id] ?? [];
      for (let row = 0; row < ids.length; row++) {
        const at = scales[axis]!.at(cells[row]);
        if (at !== null) found[row * axes.length + axis] = spread(at, scales[axis]!, row, axis);
      }
    });
    return found;
  }, [ids, scales]);
  const passes = useMemo(() => {
    const found = new Uint8Array(ids.length).fill(1);
    axes.forEach((id, axis) => {
      const range = ranges[id];
      if (!range) return;
      for (let row = 0; row < ids.length; row++) {
        const at = places[row * axes.length + axis]!;
        if (!(at >= range[0] && at <= range[1])) found[row] = 0;
      }
    });
    return found;
  }, [places, ranges]);
  // The runs that pass, the best first: what is read in this order is drawn in the other.
  const order = useMemo(() => {
    const worth = (row: number) => {
      const at = tint.at(columns[colorBy]?.[row]);
      return at === null ? -1 : less ? 1 - at : at;
    };
    return ids.map((_, row) => row).filter((row) => passes[row]).sort((a, b) => worth(b) - worth(a));
  }, [ids, tint, less, passes]);
  const shown = useMemo(() => [...new Set([...axes, colorBy])], [axes.join("\n"), colorBy]);
  const rows = useMemo(() => order.map((row) => [columns["attributes.run_name"]?.[row] ?? ids[row]!, ...shown.map((id) => columns[id]?.[row])]), [order, shown]);
  const count = axes.length;
  return (
    <Figure
      name={`Parallel coordinates of ${nameOf(colorBy)}`} label={`Parallel coordinates of ${order.length} runs over ${count} axes. Drag on an axis to keep a range.`}
      head={["Run", ...shown.map(nameOf)]} rows={rows}
      marked={hovered ? order.findIndex((row) => ids[row] === hovered) : -1}
      onMark={(at) => onHover(at < 0 ? null : ids[order[at]!]!)} onOpen={(at) => onOpen(ids[order[at]!]!)}
      find={(left, top, size) => nearest(left, top, size, count, order, places)}
      handles={{
        at: (left, [width]) => axisAt(left, width, count),
        drag: (axis, from, to, [, height], done) => {
          const [a, b] = [placeAt(from, height), placeAt(to, height)];
          const { [axes[axis]!]: _, ...rest } = ranges;
          onRanges(done && Math.abs(a - b) < CLICK ? rest : { ...rest, [axes[axis]!]: [Math.min(a, b), Math.max(a, b)] });
        },
        clear: () => onRanges({}),
      }}
      depends={[places, passes, ranges, order, axes.join("\n"), tint]}
      draw={(brush, marked) => {
        const { context, width, height } = brush;
        const dark = isDark.value;
        const [text, strong] = [color("text-2"), color("text")];
        const trace = (row: number) => traceLine(brush, places.subarray(row * count, (row + 1) * count));
        context.clearRect(0, 0, width, height);
        context.lineWidth = 1;
        if (Object.keys(ranges).length > 0) {
          context.globalAlpha = 0.05;
          context.strokeStyle = text;
          for (let row = 0; row < ids.length; row++) if (!passes[row]) trace(row);
        }
        context.globalAlpha = Math.max(0.06, Math.min(0.75, 60 / Math.max(1, order.length)));
        const goal = columns[colorBy] ?? [];
        for (let at = order.length - 1; at >= 0; at--) {
          const place = tint.at(goal[order[at]!]);
          context.strokeStyle = place === null ? text : ramp(place, dark);
          trace(order[at]!);
        }
        context.globalAlpha = 1;
        const found = order[marked];
        if (found !== undefined) {
          context.lineWidth = 2.5;
          context.strokeStyle = strong;
          trace(found);
          context.lineWidth = 1;
        }
        axes.forEach((id, axis) => drawAxis(brush, { id, axis, count, scale: scales[axis]!, range: ranges[id] }));
      }}
    />
  );
}

/** Less than this share of an axis is a click, not a range. */
const CLICK = 0.01;

const placeAt = (top: number, height: number) => Math.max(0, Math.min(1, (height - PAD.bottom - top) / (height - PAD.top - PAD.bottom)));

const stepOf = (width: number, count: number) => (count < 2 ? width : (width - PAD.left - PAD.right) / (count - 1));

function axisAt(left: number, width: number, count: number): number {
  const step = stepOf(width, count);
  const axis = Math.round((left - PAD.left) / step);
  return axis >= 0 && axis < count && Math.abs(left - (PAD.left + axis * step)) < 14 ? axis : -1;
}

/** The place in `order` of the run whose line is nearest; -1 where none is near. */
function nearest(left: number, top: number, [width, height]: readonly [number, number], count: number, order: readonly number[], places: Float32Array): number {
  const raw = (left - PAD.left) / stepOf(width, count);
  const axis = Math.max(0, Math.min(count - 2, Math.floor(raw)));
  const part = raw - axis;
  const tall = height - PAD.top - PAD.bottom;
  const wanted = (height - PAD.bottom - top) / tall;
  let [best, far] = [-1, 10 / tall];
  order.forEach((row, at) => {
    const a = places[row * count + axis]!;
    const b = places[row * count + axis + 1]!;
    const distance = Math.abs(a + (b - a) * part - wanted);
    if (distance < far) [best, far] = [at, distance];
  });
  return best;
}

/** The line of one run; where it has no value, there is a gap. */
function traceLine({ context, width, height }: Brush, places: Float32Array): void {
  const step = stepOf(width, places.length);
  context.beginPath();
  let started = false;
  places.forEach((at, axis) => {
    if (Number.isNaN(at)) {
      started = false;
      return;
    }
    const x = places.length < 2 ? width / 2 : PAD.left + axis * step;
    const y = height - PAD.bottom - at * (height - PAD.top - PAD.bottom);
    if (started) context.lineTo(x, y);
    else context.moveTo(x, y);
    started = true;
  });
  context.stroke();
}

function drawAxis({ context, width, height }: Brush, { id, axis, count, scale, range }: { id: string; axis: number; count: number; scale: Scale; range: Range | undefined }): void {
  const [text, strong, ground] = [color("text-2"), color("text"), color("bg")];
  const at = count < 2 ? width / 2 : PAD.left + axis * stepOf(width, count);
  const y = (place: number) => height - PAD.bottom - place * (height - PAD.top - PAD.bottom);
  context.strokeStyle = color("line-strong");
  context.beginPath();
  context.moveTo(at, y(0));
  context.lineTo(at, y(1));
  context.stroke();
  if (range) {
    context.fillStyle = color("accent");
    context.globalAlpha = 0.25;
    context.fillRect(at - 6, y(range[1]), 12, y(range[0]) - y(range[1]));
    context.globalAlpha = 1;
  }
  context.textAlign = "center";
  context.fillStyle = text;
  context.fillText(id.startsWith("params.") ? "param" : id.startsWith("metrics.") ? "metric" : "", at, 14);
  context.fillStyle = strong;
  context.fillText(fit(context, nameOf(id), Math.max(44, stepOf(width, count) - 8)), at, 30);
  context.fillStyle = text;
  const isLast = axis === count - 1;
  context.textAlign = isLast ? "left" : "right";
  for (const tick of scale.ticks) {
    const place = y(tick.at);
    haloed(context, fit(context, tick.text, 80), at + (isLast ? 6 : -6), place + 4, ground);
    context.beginPath();
    context.moveTo(at - 2, place);
    context.lineTo(at + 2, place);
    context.stroke();
  }
}

/** Runs of one category stand a little apart, each time in the same place: so one sees how many, and of which colour. */
export function spread(at: number, scale: Scale, row: number, axis: number): number {
  if (scale.kind !== "category") return at;
  const luck = (Math.imul(row * 31 + axis * 17 + 7, 2654435761) >>> 8) % 1000;
  return at + (luck / 1000 - 0.5) * (0.55 / Math.max(1, scale.categories.length));
}

/** Text that stays readable on what is behind it. */
export function haloed(context: CanvasRenderingContext2D, text: string, x: number, y: number, behind: string): void {
  context.save();
  context.strokeStyle = behind;
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeText(text, x, y);
  context.restore();
  context.fillText(text, x, y);
}

/** The text, cut so that it is no wider. */
export function fit(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let cut = text;
  while (cut.length > 2 && context.measureText(`${cut}…`).width > width) cut = cut.slice(0, -Math.max(1, Math.floor(cut.length / 12)));
  return `${cut}…`;
}
