// Box plots of a metric over the values of a param.

import { useMemo } from "preact/hooks";
import { color } from "../app/theme.ts";
import { boxes } from "../lib/boxes.ts";
import { metric, num, spelled, type Cell } from "../lib/format.ts";
import { binned } from "../lib/heat.ts";
import { scaleOf } from "../lib/scale.ts";
import { Figure } from "./figure.tsx";
import { drawFrame, nameOf, partTicks, placesOf } from "./frame.ts";

export function BoxPlot({ columns, x, y }: { columns: Record<string, Cell[]>; x: string; y: string }) {
  const found = useMemo(() => {
    const bins = binned(columns[x] ?? []);
    const values = (columns[y] ?? []).map((cell) => metric(cell) ?? spelled(cell));
    return { all: boxes(bins.at.map((at) => (at < 0 ? null : bins.labels[at]!)), values, bins.labels), values };
  }, [columns, x, y]);
  const { all, values } = found;
  const sy = useMemo(() => scaleOf(all.flatMap((one) => one.members.map((at) => values[at])), false), [all]);
  const rows = useMemo(() => all.map((one) => [one.label, one.n, one.low, one.q1, one.median, one.q3, one.high, one.mean]), [all]);
  return (
    <Figure
      name={`${nameOf(y)} by ${nameOf(x)}`} label={`Box plot of ${nameOf(y)} for ${all.length} values of ${nameOf(x)}.`}
      head={[nameOf(x), "Runs", "Low whisker", "First quartile", "Median", "Third quartile", "High whisker", "Mean"]} rows={rows}
      find={(left, _top, [width, height]) => {
        const { px } = placesOf(width, height);
        const at = Math.floor(((left - px(0)) / (px(1) - px(0))) * all.length);
        return at >= 0 && at < all.length ? at : -1;
      }}
      depends={[all, sy]}
      draw={(brush, marked) => {
        const { context, width, height } = brush;
        const { px, py } = placesOf(width, height);
        const [accent, soft, dots] = [color("accent"), color("accent-soft"), color("text-3")];
        drawFrame(brush, partTicks(all.map((one) => one.label)), sy, nameOf(x), nameOf(y), false);
        const wide = Math.min(72, ((px(1) - px(0)) / Math.max(1, all.length)) * 0.56);
        const yOf = (value: number) => py(sy.at(value) ?? 0);
        all.forEach((one, at) => {
          const middle = px((at + 0.5) / all.length);
          context.strokeStyle = accent;
          context.lineWidth = at === marked ? 2.5 : 1.5;
          context.fillStyle = soft;
          context.fillRect(middle - wide / 2, yOf(one.q3), wide, yOf(one.q1) - yOf(one.q3));
          context.strokeRect(middle - wide / 2, yOf(one.q3), wide, yOf(one.q1) - yOf(one.q3));
          const lines = [[middle, yOf(one.high), middle, yOf(one.q3)], [middle, yOf(one.low), middle, yOf(one.q1)], [middle - wide / 4, yOf(one.high), middle + wide / 4, yOf(one.high)], [middle - wide / 4, yOf(one.low), middle + wide / 4, yOf(one.low)], [middle - wide / 2, yOf(one.median), middle + wide / 2, yOf(one.median)]] as const;
          for (const [ax, ay, bx, by] of lines) {
            context.beginPath();
            context.moveTo(ax, ay);
            context.lineTo(bx, by);
            context.stroke();
          }
          context.fillStyle = dots;
          context.globalAlpha = 0.7;
          one.members.slice(0, 400).forEach((member, each) => {
            const value = values[member]!;
            if (one.n > 60 && value >= one.low && value <= one.high) return;
            const luck = ((Math.imul(each + 1, 2654435761) >>> 8) % 1000) / 1000 - 0.5;
            context.beginPath();
            context.arc(middle + luck * wide * 0.7, yOf(value), 2, 0, 7);
            context.fill();
          });
          context.globalAlpha = 1;
        });
      }}
    >
      {all.length > 1 && <p class="charts-which">{`Highest median: ${[...all].sort((a, b) => b.median - a.median)[0]!.label}, lowest: ${[...all].sort((a, b) => a.median - b.median)[0]!.label} (${num(Math.min(...all.map((one) => one.median)))} to ${num(Math.max(...all.map((one) => one.median)))}).`}</p>}
    </Figure>
  );
}
