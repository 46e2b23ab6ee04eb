// The verdict on groups of seeds: which setting is best, by how much, how sure that is, and what else changed.

import { useMemo } from "preact/hooks";
import { Empty } from "../../widgets/parts.tsx";
import { patch, query } from "../../app/router.ts";
import type { Compared } from "../../data/source.ts";
import { isDown, worth } from "../../lib/columns.ts";
import { num } from "../../lib/format.ts";
import { alsoChanged, judge, levelFor, samplesOf, type Judged } from "../../lib/verdict.ts";

const TOLD: Record<Judged["told"], string> = { best: "the best", worse: "worse", open: "not told apart", few: "too few runs" };

export function Verdict({ data }: { data: Compared }) {
  const metrics = Object.keys(data.columns).filter((id) => id.startsWith("metrics.")).sort((a, b) => worth(b.slice(8)) - worth(a.slice(8)) || (a < b ? -1 : 1));
  const goal = query.value["goal"] && metrics.includes(query.value["goal"]) ? query.value["goal"] : metrics[0];
  const found = useMemo(() => (goal ? samplesOf(data.columns, goal) : null), [data, goal]);
  const less = goal ? isDown(goal.slice(8)) : false;
  const judged = useMemo(() => (found ? judge(found.samples, less) : []), [found, less]);
  if (!goal || !found) return <Empty icon="compare" title="Nothing to judge">These runs have no metrics.</Empty>;
  if (judged.length < 2) return <Empty icon="compare" title="One setting only">A verdict needs runs of two settings: params that differ in more than a seed.</Empty>;
  const best = judged[0]!;
  const beaten = judged.filter((one) => one.told === "worse").length;
  const open = judged.filter((one) => one.told === "open").length;
  const level = levelFor(judged.length);
  const widest = Math.max(...judged.flatMap((one) => (one.ahead ? [Math.abs(one.ahead.low), Math.abs(one.ahead.high)] : [])), 1e-300);
  return (
    <div class="verdict">
      <div class="chart-bar">
        <label class="pick"><span>{less ? "Metric (less is better)" : "Metric (more is better)"}</span>
          <select value={goal} onChange={(event) => patch({ goal: event.currentTarget.value })}>{metrics.map((id) => <option key={id} value={id}>{id.slice(8)}</option>)}</select>
        </label>
      </div>
      <p class="verdict-told" role="status">
        <strong>{best.label}</strong> is {beaten ? `better than ${beaten} of ${judged.length - 1} other settings` : "ahead, but not better than any other as far as these runs tell"}{open && beaten ? `; ${open} cannot be told from it` : ""}.
      </p>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Settings from the best to the worst">
        <table class="list">
          <thead><tr><th>Setting</th><th>Runs</th><th>Mean ± sd</th><th>The best is ahead by</th><th class="hide-small"><span class="sr">Interval</span></th><th>Verdict</th><th class="hide-small">Also changed</th></tr></thead>
          <tbody>
            {judged.map((one) => {
              const changed = one === best ? [] : alsoChanged(data.columns, data.datasets, best.members, one.members);
              return (
                <tr key={one.label} class={one === best ? "selected" : ""}>
                  <td class="main"><span>{one.label}</span></td>
                  <td class="number">{one.values.length}{one.values.length < one.members.length && <span class="dim" title="Some runs have no finite value"> of {one.members.length}</span>}</td>
                  <td class="number">{num(one.mean)}{one.values.length > 1 && <span class="dim"> ± {num(one.sd, 2)}</span>}</td>
                  <td class="number">{one.ahead ? <>{num(one.ahead.difference, 3)} <span class="dim">{`${num(one.ahead.low, 3)} to ${num(one.ahead.high, 3)}`}</span></> : <span class="dim">–</span>}</td>
                  <td class="hide-small">{one.ahead && <Interval value={one.ahead} widest={widest} />}</td>
                  <td><span class={`chip ${one.told === "worse" ? "failed" : one.told === "best" ? "finished" : ""}`}>{TOLD[one.told]}</span></td>
                  <td class="hide-small">{changed.length ? <span class="warn-text">{changed.join(", ")}</span> : <span class="dim">–</span>}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p class="hint">
        {`Runs are one setting where all params but seeds, folds and repeats are the same. Differences of means with ${(level * 100).toFixed(level > 0.99 ? 2 : 1)} % intervals by the bootstrap, so sure because of ${judged.length - 1} ${judged.length === 2 ? "comparison" : "comparisons"} (Bonferroni). With fewer than five runs of a setting, take them as a hint.`}
      </p>
    </div>
  );
}

/** The interval of a difference as a line around zero. */
function Interval({ value, widest }: { value: { difference: number; low: number; high: number }; widest: number }) {
  const at = (number: number) => `${50 + (number / widest) * 48}%`;
  return (
    <span class="interval" aria-hidden="true">
      <i style={{ left: at(value.low), right: `calc(100% - ${at(value.high)})` }} />
      <b style={{ left: at(value.difference) }} />
    </span>
  );
}
