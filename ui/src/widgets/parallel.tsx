// Parallel coordinates: a line for each run over axes of params and metrics; dragging on an axis keeps a range.

import { useMemo, useRef, useState } from "preact/hooks";
import { color, isDark } from "../app/theme.ts";
import { ramp } from "../lib/colors.ts";
import type { Cell } from "../lib/format.ts";
import { scaleOf, type Scale } from "../lib/scale.ts";
import { useCanvas } from "./canvas.ts";

export type Range = [number, number];

const PAD = { top: 46, bottom: 22, left: 60, right: 60 };

export interface ParallelProps {
  ids: readonly string[];
  columns: Record<string, Cell[]>;
  axes: readonly string[];
  colorBy: string;
  hovered: string | null;
  onHover: (id: string | null) => void;
  onOpen: (id: string) => void;
  /** Called with the runs that pass all ranges, and the ranges. */
  onRanges: (ranges: Record<string, Range>) => void;
  ranges: Record<string, Range>;
}

export function Parallel({ ids, columns, axes, colorBy, hovered, onHover, onOpen, onRanges, ranges }: ParallelProps) {
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
  // The best are drawn last, so that they are seen.
  const order = useMemo(() => ids.map((_, row) => row).sort((a, b) => (tint.at(columns[colorBy]?.[a]) ?? -1) - (tint.at(columns[colorBy]?.[b]) ?? -1)), [ids, tint]);
  const drag = useRef<{ axis: number; from: number } | null>(null);
  const [tip, setTip] = useState<string | null>(null);
  const marked = hovered ? ids.indexOf(hovered) : -1;

  const { canvas, size } = useCanvas(({ context, width, height }) => {
    const dark = isDark.value;
    const [text, strong, line, ground] = [color("text-2"), color("text"), color("line-strong"), color("bg")];
    const x = (axis: number) => (axes.length < 2 ? width / 2 : PAD.left + ((width - PAD.left - PAD.right) * axis) / (axes.length - 1));
    const y = (at: number) => height - PAD.bottom - at * (height - PAD.top - PAD.bottom);
    const trace = (row: number) => {
      context.beginPath();
      let started = false;
      for (let axis = 0; axis < axes.length; axis++) {
        const at = places[row * axes.length + axis]!;
        if (Number.isNaN(at)) {
          started = false;
          continue;
        }
        if (started) context.lineTo(x(axis), y(at));
        else context.moveTo(x(axis), y(at));
        started = true;
      }
      context.stroke();
    };
    context.clearRect(0, 0, width, height);
    context.lineWidth = 1;
    const some = Object.keys(ranges).length > 0;
    const kept = passes.reduce((sum, one) => sum + one, 0);
    const alpha = Math.max(0.06, Math.min(0.75, 60 / Math.max(1, kept)));
    if (some) {
      context.globalAlpha = 0.05;
      context.strokeStyle = text;
      for (let row = 0; row < ids.length; row++) if (!passes[row]) trace(row);
    }
    context.globalAlpha = alpha;
    const goal = columns[colorBy] ?? [];
    for (const row of order) {
      if (!passes[row]) continue;
      const at = tint.at(goal[row]);
      context.strokeStyle = at === null ? text : ramp(at, dark);
      trace(row);
    }
    context.globalAlpha = 1;
    if (marked >= 0) {
      context.lineWidth = 2.5;
      context.strokeStyle = strong;
      trace(marked);
      context.lineWidth = 1;
    }
    axes.forEach((id, axis) => {
      const at = x(axis);
      context.strokeStyle = line;
      context.beginPath();
      context.moveTo(at, y(0));
      context.lineTo(at, y(1));
      context.stroke();
      const range = ranges[id];
      if (range) {
        context.fillStyle = color("accent");
        context.globalAlpha = 0.25;
        context.fillRect(at - 6, y(range[1]), 12, y(range[0]) - y(range[1]));
        context.globalAlpha = 1;
      }
      const cut = id.indexOf(".");
      context.textAlign = "center";
      context.fillStyle = text;
      context.fillText(id.startsWith("params.") ? "param" : id.startsWith("metrics.") ? "metric" : "", at, 14);
      context.fillStyle = strong;
      context.fillText(fit(context, id.slice(cut + 1), Math.max(70, (width - PAD.left) / axes.length - 10)), at, 30);
      context.fillStyle = text;
      context.textAlign = axis === axes.length - 1 ? "left" : "right";
      for (const tick of scales[axis]!.ticks) {
        const place = y(tick.at);
        const side = axis === axes.length - 1 ? 6 : -6;
        haloed(context, fit(context, tick.text, 80), at + side, place + 4, ground);
        context.beginPath();
        context.moveTo(at - 2, place);
        context.lineTo(at + 2, place);
        context.stroke();
      }
    });
  }, [places, passes, ranges, marked, axes.join("\n"), tint]);

  const axisAt = (left: number) => {
    const [width] = size;
    const step = axes.length < 2 ? width : (width - PAD.left - PAD.right) / (axes.length - 1);
    const axis = Math.round((left - PAD.left) / step);
    const far = Math.abs(left - (PAD.left + axis * step));
    return axis >= 0 && axis < axes.length && far < 14 ? axis : -1;
  };
  const placeAt = (top: number) => Math.max(0, Math.min(1, (size[1] - PAD.bottom - top) / (size[1] - PAD.top - PAD.bottom)));
  const nearest = (left: number, top: number) => {
    const [width, height] = size;
    const step = (width - PAD.left - PAD.right) / Math.max(1, axes.length - 1);
    const raw = (left - PAD.left) / step;
    const axis = Math.max(0, Math.min(axes.length - 2, Math.floor(raw)));
    const part = raw - axis;
    const wanted = (height - PAD.bottom - top) / (height - PAD.top - PAD.bottom);
    let best = -1;
    let far = 10 / (height - PAD.top - PAD.bottom);
    for (let row = 0; row < ids.length; row++) {
      if (!passes[row]) continue;
      const a = places[row * axes.length + axis]!;
      const b = places[row * axes.length + axis + 1]!;
      const distance = Math.abs(a + (b - a) * part - wanted);
      if (distance < far) {
        far = distance;
        best = row;
      }
    }
    return best;
  };
  const over = (event: PointerEvent) => {
    const { offsetX, offsetY } = event;
    if (drag.current) {
      const at = placeAt(offsetY);
      const { axis, from } = drag.current;
      onRanges({ ...ranges, [axes[axis]!]: [Math.min(from, at), Math.max(from, at)] });
      return;
    }
    const found = nearest(offsetX, offsetY);
    onHover(found >= 0 ? ids[found]! : null);
    setTip(found >= 0 ? ((columns["attributes.run_name"]?.[found] as string | null) ?? ids[found]!) : null);
    canvas.current!.style.cursor = axisAt(offsetX) >= 0 ? "ns-resize" : found >= 0 ? "pointer" : "default";
  };
  return (
    <div class="parallel">
      <canvas
        ref={canvas} role="img" tabIndex={0} aria-label={`Parallel coordinates of ${ids.length} runs over ${axes.length} axes. Drag on an axis to keep a range.`}
        onPointerDown={(event) => {
          const axis = axisAt(event.offsetX);
          if (axis < 0) return;
          canvas.current!.setPointerCapture(event.pointerId);
          drag.current = { axis, from: placeAt(event.offsetY) };
        }}
        onPointerMove={over}
        onPointerUp={(event) => {
          const was = drag.current;
          drag.current = null;
          if (!was) {
            const found = nearest(event.offsetX, event.offsetY);
            if (found >= 0) onOpen(ids[found]!);
            return;
          }
          if (Math.abs(placeAt(event.offsetY) - was.from) < 0.01) {
            const { [axes[was.axis]!]: _, ...rest } = ranges;
            onRanges(rest);
          }
        }}
        onPointerLeave={() => {
          onHover(null);
          setTip(null);
        }}
        onKeyDown={(event) => event.key === "Escape" && onRanges({})}
      />
      <div class="parallel-tip" aria-live="polite">{tip}</div>
    </div>
  );
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
