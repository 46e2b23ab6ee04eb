// Contours of a metric over two numbers: heights between the runs, lines of equal height, the runs themselves.

import { useMemo } from "preact/hooks";
import { color, isDark } from "../app/theme.ts";
import { gridOf, isoline } from "../lib/contour.ts";
import { ramp } from "../lib/colors.ts";
import { metric, num, spelled } from "../lib/format.ts";
import { scaleOf, ticks } from "../lib/scale.ts";
import { Figure } from "./figure.tsx";
import { drawFrame, nameOf, placesOf, pointAt } from "./frame.ts";
import type { ManyProps } from "./scatter.tsx";

const [COLUMNS, ROWS] = [72, 48];
const MOST_POINTS = 2_000;

export function Contour({ ids, columns, x, y, colorBy, hovered, onHover, onOpen }: ManyProps & { x: string; y: string; colorBy: string }) {
  const made = useMemo(() => {
    const [sx, sy] = [scaleOf(columns[x] ?? []), scaleOf(columns[y] ?? [])];
    const points = ids.flatMap((_, row) => {
      const [px, py] = [sx.at(columns[x]?.[row]), sy.at(columns[y]?.[row])];
      const cell = columns[colorBy]?.[row];
      const value = metric(cell) ?? spelled(cell);
      return px === null || py === null || value === null || !Number.isFinite(value) ? [] : [{ row, x: px, y: py, value }];
    }).slice(0, MOST_POINTS);
    const grid = points.length >= 3 ? gridOf(points, COLUMNS, ROWS) : [];
    const values = points.map((one) => one.value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const levels = grid.length && high > low ? ticks(low, high, 8) : [];
    return { sx, sy, points, grid, low, high, levels, lines: levels.map((level) => isoline(grid, COLUMNS, ROWS, level)) };
  }, [ids, columns, x, y, colorBy]);
  const { sx, sy, points, grid, low, high, levels, lines } = made;
  const rows = useMemo(() => points.map((one) => [columns["attributes.run_name"]?.[one.row] ?? ids[one.row]!, columns[x]?.[one.row], columns[y]?.[one.row], one.value]), [points]);
  return (
    <Figure
      name={`${nameOf(colorBy)} over ${nameOf(x)} and ${nameOf(y)}`} label={`Contours of ${nameOf(colorBy)} over ${nameOf(x)} and ${nameOf(y)}, between ${points.length} runs.`}
      head={["Run", nameOf(x), nameOf(y), nameOf(colorBy)]} rows={rows}
      marked={hovered ? points.findIndex((one) => ids[one.row] === hovered) : -1}
      onMark={(row) => onHover(row < 0 ? null : ids[points[row]!.row]!)} onOpen={(row) => onOpen(ids[points[row]!.row]!)}
      find={(left, top, size) => pointAt(points, left, top, size)}
      depends={[made]}
      draw={(brush, marked) => {
        const { context, width, height } = brush;
        const { px, py } = placesOf(width, height);
        const dark = isDark.value;
        drawFrame(brush, sx, sy, nameOf(x), nameOf(y), !grid.length, !grid.length);
        const [wide, tall] = [(px(1) - px(0)) / COLUMNS, (py(0) - py(1)) / ROWS];
        grid.forEach((value, at) => {
          if (!Number.isFinite(value)) return;
          const [column, row] = [at % COLUMNS, Math.floor(at / COLUMNS)];
          const band = levels.filter((level) => level <= value).length / Math.max(1, levels.length);
          context.fillStyle = ramp(band, dark);
          context.globalAlpha = 0.55;
          const [left, top] = [Math.round(px(0) + column * wide), Math.round(py(0) - (row + 1) * tall)];
          context.fillRect(left, top, Math.round(px(0) + (column + 1) * wide) - left, Math.round(py(0) - row * tall) - top);
        });
        context.globalAlpha = 1;
        context.strokeStyle = color("bg");
        context.lineWidth = 1;
        for (const segments of lines) {
          context.beginPath();
          for (const [ax, ay, bx, by] of segments) {
            context.moveTo(px(ax), py(ay));
            context.lineTo(px(bx), py(by));
          }
          context.stroke();
        }
        points.forEach((one, at) => {
          context.fillStyle = ramp(high > low ? (one.value - low) / (high - low) : 0.5, dark);
          context.strokeStyle = color(at === marked ? "text" : "bg");
          context.lineWidth = at === marked ? 2.5 : 1;
          context.beginPath();
          context.arc(px(one.x), py(one.y), at === marked ? 6 : 3.5, 0, 7);
          context.fill();
          context.stroke();
        });
      }}
    >
      <p class="charts-which">{grid.length ? `From ${num(low, 4)} to ${num(high, 4)}; heights between runs are guessed from the nearest eight.` : "Contours need three runs that have all of it."}</p>
    </Figure>
  );
}
