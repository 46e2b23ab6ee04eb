// A scatter plot of runs: any two columns, coloured by a third; with directions, the front that nobody beats.

import { useMemo } from "preact/hooks";
import { color, isDark } from "../app/theme.ts";
import { ramp } from "../lib/colors.ts";
import { count, metric, spelled, type Cell } from "../lib/format.ts";
import { front } from "../lib/pareto.ts";
import { scaleOf } from "../lib/scale.ts";
import { Figure } from "./figure.tsx";
import { drawFrame, nameOf, placesOf, pointAt } from "./frame.ts";
import { spread } from "./parallel.tsx";

export interface ManyProps {
  ids: readonly string[];
  columns: Record<string, Cell[]>;
  hovered: string | null;
  onHover: (id: string | null) => void;
  onOpen: (id: string) => void;
}

export function Scatter({ ids, columns, x, y, colorBy, less, hovered, onHover, onOpen }: ManyProps & {
  x: string;
  y: string;
  colorBy: string;
  /** For a Pareto front: whether less is better, across and up. */
  less?: readonly [boolean, boolean];
}) {
  const [sx, sy, st] = useMemo(() => [scaleOf(columns[x] ?? []), scaleOf(columns[y] ?? []), scaleOf(columns[colorBy] ?? [])], [columns, x, y, colorBy]);
  const best = useMemo(() => {
    const numbers = (id: string) => (columns[id] ?? []).map((cell) => metric(cell) ?? spelled(cell));
    return less ? front(numbers(x), numbers(y), less[0], less[1]) : [];
  }, [columns, x, y, less?.[0], less?.[1]]);
  const points = useMemo(() => {
    const found: { row: number; x: number; y: number }[] = [];
    const onFront = new Set(best);
    // Those on the front come first, from one end to the other: so arrows and the table read them.
    for (const row of [...best, ...ids.keys()]) {
      if (onFront.has(row) && found.length >= best.length) continue;
      const px = sx.at(columns[x]?.[row]);
      const py = sy.at(columns[y]?.[row]);
      if (px !== null && py !== null) found.push({ row, x: spread(px, sx, row, 0), y: spread(py, sy, row, 1) });
    }
    return found;
  }, [ids, columns, sx, sy, best]);
  const shown = [...new Set([x, y, ...(less ? [] : [colorBy])])];
  const name = (row: number) => columns["attributes.run_name"]?.[row] ?? ids[row]!;
  const rows = useMemo(() => points.map((one, at) => [name(one.row), ...shown.map((id) => columns[id]?.[one.row]), ...(less ? [at < best.length ? "yes" : "no"] : [])]), [points, shown.join("\n")]);
  return (
    <Figure
      name={`${nameOf(y)} over ${nameOf(x)}`} head={["Run", ...shown.map(nameOf), ...(less ? ["On the front"] : [])]} rows={rows}
      label={less ? `${best.length} of ${count(points.length, "run")} ${best.length === 1 ? "is" : "are"} on the Pareto front of ${nameOf(x)} and ${nameOf(y)}: no other is better in both.` : `Scatter plot of ${points.length} runs: ${y} over ${x}, coloured by ${colorBy}.`}
      marked={hovered ? points.findIndex((one) => ids[one.row] === hovered) : -1}
      onMark={(row) => onHover(row < 0 ? null : ids[points[row]!.row]!)} onOpen={(row) => onOpen(ids[points[row]!.row]!)}
      find={(left, top, size) => pointAt(points, left, top, size)}
      depends={[points, st, best]}
      draw={(brush, marked) => {
        const { context, width, height } = brush;
        const dark = isDark.value;
        const [text, strong] = [color("text-2"), color("text")];
        const { px, py } = placesOf(width, height);
        drawFrame(brush, sx, sy, `${nameOf(x)}${less ? (less[0] ? " (less is better)" : " (more is better)") : ""}`, `${nameOf(y)}${less ? (less[1] ? " (less is better)" : " (more is better)") : ""}`);
        const radius = points.length > 2000 ? 2 : points.length > 300 ? 3 : 4.5;
        if (less) {
          context.strokeStyle = color("accent");
          context.lineWidth = 1.5;
          context.beginPath();
          points.slice(0, best.length).forEach((one, at) => {
            if (!at) context.moveTo(px(one.x), py(one.y));
            else {
              context.lineTo(px(one.x), py(points[at - 1]!.y));
              context.lineTo(px(one.x), py(one.y));
            }
          });
          context.stroke();
        }
        context.globalAlpha = points.length > 2000 ? 0.5 : points.length > 300 ? 0.65 : 0.85;
        points.forEach((one, place) => {
          const at = st.at(columns[colorBy]?.[one.row]);
          context.fillStyle = less ? (place < best.length ? color("accent") : color("line-strong")) : at === null ? text : ramp(at, dark);
          context.beginPath();
          context.arc(px(one.x), py(one.y), radius, 0, 7);
          context.fill();
        });
        context.globalAlpha = 1;
        const found = points[marked];
        if (found) {
          context.strokeStyle = strong;
          context.lineWidth = 2;
          context.beginPath();
          context.arc(px(found.x), py(found.y), radius + 3, 0, 7);
          context.stroke();
          context.lineWidth = 1;
        }
      }}
    >
      {less && <p class="charts-which">{`${best.length} of ${count(points.length, "run")} ${best.length === 1 ? "is" : "are"} on the front: no other run is better in both.`}</p>}
    </Figure>
  );
}
