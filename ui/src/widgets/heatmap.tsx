// Heat maps of two params: the mean of a metric where they meet.

import { useMemo } from "preact/hooks";
import { color, isDark } from "../app/theme.ts";
import { ramp } from "../lib/colors.ts";
import { metric, num, spelled, type Cell } from "../lib/format.ts";
import { heat } from "../lib/heat.ts";
import { Figure } from "./figure.tsx";
import { drawFrame, nameOf, partTicks, placesOf } from "./frame.ts";

export function HeatMap({ columns, x, y, colorBy }: { columns: Record<string, Cell[]>; x: string; y: string; colorBy: string }) {
  const map = useMemo(() => heat(columns[x] ?? [], columns[y] ?? [], (columns[colorBy] ?? []).map((cell) => metric(cell) ?? spelled(cell))), [columns, x, y, colorBy]);
  const rows = useMemo(() => map.cells.map((one) => [map.x[one.x]!, map.y[one.y]!, one.mean, one.n]), [map]);
  return (
    <Figure
      name={`${nameOf(colorBy)} by ${nameOf(x)} and ${nameOf(y)}`} label={`Heat map: the mean of ${nameOf(colorBy)} for ${map.x.length} values of ${nameOf(x)} and ${map.y.length} of ${nameOf(y)}.`}
      head={[nameOf(x), nameOf(y), `Mean of ${nameOf(colorBy)}`, "Runs"]} rows={rows}
      find={(left, top, [width, height]) => {
        const { px, py } = placesOf(width, height);
        const [column, row] = [Math.floor(((left - px(0)) / (px(1) - px(0))) * map.x.length), Math.floor(((top - py(0)) / (py(1) - py(0))) * map.y.length)];
        return map.cells.findIndex((one) => one.x === column && one.y === row);
      }}
      depends={[map]}
      draw={(brush, marked) => {
        const { context, width, height } = brush;
        const { px, py } = placesOf(width, height);
        const dark = isDark.value;
        const means = map.cells.map((one) => one.mean);
        const [low, high] = [Math.min(...means), Math.max(...means)];
        drawFrame(brush, partTicks(map.x), partTicks(map.y), nameOf(x), nameOf(y), false, false);
        const [wide, tall] = [(px(1) - px(0)) / Math.max(1, map.x.length), (py(0) - py(1)) / Math.max(1, map.y.length)];
        context.textAlign = "center";
        map.cells.forEach((one, at) => {
          const [left, top] = [px(one.x / map.x.length), py((one.y + 1) / map.y.length)];
          context.fillStyle = ramp(high > low ? (one.mean - low) / (high - low) : 0.5, dark);
          context.fillRect(left + 1, top + 1, wide - 2, tall - 2);
          if (wide > 44 && tall > 18) {
            context.fillStyle = dark ? "#0b1220" : "#ffffff";
            context.fillText(num(one.mean, 3), left + wide / 2, top + tall / 2 + 4);
          }
          if (at === marked) {
            context.strokeStyle = color("text");
            context.lineWidth = 2;
            context.strokeRect(left + 1, top + 1, wide - 2, tall - 2);
          }
        });
      }}
    >
      {!map.cells.length && <p class="charts-which">No run has both.</p>}
    </Figure>
  );
}
