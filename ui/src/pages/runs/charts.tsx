// The charts beside the table: lines of single runs or of groups, and plots of all of them.

import { useMemo } from "preact/hooks";
import { Charts, ChartSettings, type ChartRun } from "../../widgets/charts.tsx";
import { Choice } from "../../widgets/parts.tsx";
import { useLoad } from "../../app/load.ts";
import { patch, query } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { Ask } from "../../data/source.ts";
import { colorsOf } from "../../lib/colors.ts";
import { isSingle, split, type Summary } from "../../lib/columns.ts";
import { count } from "../../lib/format.ts";
import { sorted } from "./groups.tsx";
import { MANY, ManyPlots } from "./many.tsx";
import { ask, groupBy, hovered, layout, selection, sorts } from "./state.ts";

const [SHOWN_GROUPS, RUNS_OF_GROUP] = [8, 25];

/** The runs of the first groups, each group one colour: charts show its mean and spread. Null where there are no groups. */
function useGroupRuns(): { runs: ChartRun[]; count: number } | null {
  const by = groupBy.value;
  const sort = sorts.value[0];
  const columns = sort && split(sort.id) && !isSingle(sort.id) ? [sort.id] : [];
  const question: Ask = { ...ask.value, order_by: [] };
  const loaded = useLoad(by.length && !selection.value.length && layout.value !== "table" ? JSON.stringify(["groups of charts", question, by, columns]) : null, (signal) => source.groups(question, by, columns, [], signal), 6000);
  const found = by.length && !selection.value.length ? loaded.data : undefined;
  return useMemo(() => {
    if (!found) return null;
    const shown = sorted(found.groups, by, sort).slice(0, SHOWN_GROUPS);
    const names = shown.map((group) => group.values.map((value) => String(value ?? "none")).join(" · "));
    const colors = colorsOf(names);
    const runs = shown.flatMap((group, at) => group.run_ids.slice(0, RUNS_OF_GROUP).map((id) => ({ id, name: names[at]!, color: colors.get(names[at]!)!, group: names[at]! })));
    return { runs, count: shown.length };
  }, [found, JSON.stringify(sort)]);
}

export function ChartSide({ runs, keys, summary, directions }: { runs: ChartRun[]; keys: string[]; summary: Summary | null; directions: Record<string, "up" | "down"> }) {
  const kind = MANY.find(([id]) => id === query.value["plot"])?.[0] ?? "lines";
  const groups = useGroupRuns();
  const which = groups ? `Mean ± sd of the first ${count(groups.count, "group")} of the table.`
    : selection.value.length ? `${count(runs.length, "selected run")}` : `The first ${count(runs.length, "row")} of the table. Select rows to choose.`;
  const shown = groups?.runs ?? runs;
  return (
    <div class="runs-charts">
      <div class="charts-head">
        <Choice label="Kind of chart" value={kind} onChange={(value) => patch({ plot: value === "lines" ? undefined : value })} options={[["lines", "Lines"], ...MANY]} />
        {kind === "lines" && <ChartSettings />}
      </div>
      {kind === "lines" ? (
        <>
          {groups && (
            <ul class="legend">
              {[...new Map(shown.map((one) => [one.name, one])).values()].map((one) => (
                <li key={one.name} class={hovered.value && hovered.value !== one.name ? "dimmed" : ""} onPointerEnter={() => (hovered.value = one.name)} onPointerLeave={() => (hovered.value = null)}>
                  <i class="dot" style={{ background: one.color }} />{one.name}
                </li>
              ))}
            </ul>
          )}
          <Charts runs={shown} keys={keys} hovered={hovered.value} onHover={(run) => (hovered.value = run)} which={which} empty="Nothing is logged yet, or no run is shown." />
        </>
      ) : (
        <ManyPlots kind={kind} ask={ask.value} summary={summary} directions={directions} />
      )}
    </div>
  );
}
