// A scatter plot of runs: any two columns, coloured by a third.

import { useMemo, useState } from "preact/hooks";
import { color, isDark } from "../app/theme.ts";
import { ramp } from "../lib/colors.ts";
import type { Cell } from "../lib/format.ts";
import { scaleOf } from "../lib/scale.ts";
import { useCanvas } from "./canvas.ts";
import { fit, spread } from "./parallel.tsx";

const PAD = { top: 14, bottom: 42, left: 64, right: 16 };

export function Scatter({ ids, columns, x, y, colorBy, hovered, onHover, onOpen }: {
  ids: readonly string[];
  columns: Record<string, Cell[]>;
  x: string;
  y: string;
  colorBy: string;
  hovered: string | null;
  onHover: (id: string | null) => void;
  onOpen: (id: string) => void;
}) {
  const [sx, sy, st] = useMemo(() => [scaleOf(columns[x] ?? []), scaleOf(columns[y] ?? []), scaleOf(columns[colorBy] ?? [])], [columns, x, y, colorBy]);
  const points = useMemo(() => {
    const found: { row: number; x: number; y: number }[] = [];
    for (let row = 0; row < ids.length; row++) {
      const px = sx.at(columns[x]?.[row]);
      const py = sy.at(columns[y]?.[row]);
      if (px !== null && py !== null) {
        found.push({ row, x: spread(px, sx, row, 0), y: spread(py, sy, row, 1) });
      }
    }
    return found;
  }, [ids, columns, sx, sy]);
  const [tip, setTip] = useState<{ left: number; top: number; row: number } | null>(null);
  const marked = hovered ? ids.indexOf(hovered) : -1;
  const { canvas, size } = useCanvas(({ context, width, height }) => {
    const dark = isDark.value;
    const [text, strong, grid] = [color("text-2"), color("text"), color("grid")];
    const px = (at: number) => PAD.left + at * (width - PAD.left - PAD.right);
    const py = (at: number) => height - PAD.bottom - at * (height - PAD.top - PAD.bottom);
    context.clearRect(0, 0, width, height);
    context.strokeStyle = grid;
    context.fillStyle = text;
    context.textAlign = "center";
    for (const tick of sx.ticks) {
      context.beginPath();
      context.moveTo(px(tick.at), PAD.top);
      context.lineTo(px(tick.at), height - PAD.bottom);
      context.stroke();
      context.fillText(fit(context, tick.text, 90), px(tick.at), height - PAD.bottom + 16);
    }
    context.textAlign = "right";
    for (const tick of sy.ticks) {
      context.beginPath();
      context.moveTo(PAD.left, py(tick.at));
      context.lineTo(width - PAD.right, py(tick.at));
      context.stroke();
      context.fillText(fit(context, tick.text, 56), PAD.left - 8, py(tick.at) + 4);
    }
    context.fillStyle = strong;
    context.textAlign = "center";
    context.fillText(x.slice(x.indexOf(".") + 1), PAD.left + (width - PAD.left - PAD.right) / 2, height - 8);
    context.save();
    context.translate(12, PAD.top + (height - PAD.top - PAD.bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(y.slice(y.indexOf(".") + 1), 0, 0);
    context.restore();
    const radius = points.length > 2000 ? 2 : points.length > 300 ? 3 : 4.5;
    context.globalAlpha = points.length > 2000 ? 0.5 : points.length > 300 ? 0.65 : 0.85;
    for (const one of points) {
      const at = st.at(columns[colorBy]?.[one.row]);
      context.fillStyle = at === null ? text : ramp(at, dark);
      context.beginPath();
      context.arc(px(one.x), py(one.y), radius, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
    const found = points.find((one) => one.row === marked);
    if (found) {
      context.strokeStyle = strong;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(px(found.x), py(found.y), radius + 3, 0, 7);
      context.stroke();
      context.lineWidth = 1;
    }
  }, [points, marked, st]);

  const find = (left: number, top: number) => {
    const [width, height] = size;
    let best: (typeof points)[number] | null = null;
    let far = 14 * 14;
    for (const one of points) {
      const dx = PAD.left + one.x * (width - PAD.left - PAD.right) - left;
      const dy = height - PAD.bottom - one.y * (height - PAD.top - PAD.bottom) - top;
      const distance = dx * dx + dy * dy;
      if (distance < far) {
        far = distance;
        best = one;
      }
    }
    return best;
  };
  return (
    <div class="scatter">
      <canvas
        ref={canvas} role="img" aria-label={`Scatter plot of ${points.length} runs: ${y} over ${x}, coloured by ${colorBy}.`}
        onPointerMove={(event) => {
          const found = find(event.offsetX, event.offsetY);
          onHover(found ? ids[found.row]! : null);
          setTip(found ? { left: event.offsetX, top: event.offsetY, row: found.row } : null);
          canvas.current!.style.cursor = found ? "pointer" : "default";
        }}
        onPointerLeave={() => {
          onHover(null);
          setTip(null);
        }}
        onClick={(event) => {
          const found = find(event.offsetX, event.offsetY);
          if (found) onOpen(ids[found.row]!);
        }}
      />
      {tip && (
        <div class="plot-tip" style={{ left: `${Math.min(tip.left + 14, size[0] - 230)}px`, top: `${tip.top}px` }}>
          <div class="tip-head">{columns["attributes.run_name"]?.[tip.row] ?? ids[tip.row]}</div>
          {[...new Set([x, y, colorBy])].map((id) => (
            <div class="tip-line" key={id}>
              <span>{id.slice(id.indexOf(".") + 1)}</span>
              <b>{String(columns[id]?.[tip.row] ?? "–")}</b>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
