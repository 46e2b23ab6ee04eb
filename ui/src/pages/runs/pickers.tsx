// What is shown and how it is grouped: columns, groups, saved views.

import { useState } from "preact/hooks";
import { Button, Field } from "../../widgets/parts.tsx";
import { Drop } from "../../widgets/overlay.tsx";
import { attempt, say } from "../../app/toasts.tsx";
import { experiments, reloadExperiments } from "../../app/experiments.ts";
import type { May } from "../../app/rights.ts";
import { go, href, path, query } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import { ATTRIBUTES, isOwnTag, type Summary } from "../../lib/columns.ts";
import { Checklist } from "./filter.tsx";
import { chosenColumns, columnsOf, experimentIds, groupBy, setColumns, setGroup } from "./state.ts";

function range(low: number | null, high: number | null): string {
  if (low === null || high === null) return "";
  const short = (value: number) => Number(value.toPrecision(3)).toString();
  return low === high ? short(low) : `${short(low)} – ${short(high)}`;
}

export function ColumnPicker({ summary }: { summary: Summary | null }) {
  const shown = columnsOf(summary);
  const checked = new Set(shown);
  const toggle = (id: string) => setColumns(checked.has(id) ? shown.filter((one) => one !== id) : [...shown, id]);
  const differing = (summary?.params ?? []).filter((one) => one.distinct > 1);
  const same = (summary?.params ?? []).filter((one) => one.distinct <= 1);
  const text = (one: { values: [string, number][]; distinct: number }) =>
    one.values.slice(0, 3).map(([value]) => value.slice(0, 20)).join(", ") + (one.distinct > 3 ? ", …" : "");
  const sections = [
    { title: "Metrics", items: (summary?.metrics ?? []).map((one) => ({ id: `metrics.${one.key}`, label: one.key, detail: range(one.min, one.max) })) },
    { title: "Params that differ", items: differing.map((one) => ({ id: `params.${one.key}`, label: one.key, detail: text(one) })) },
    { title: "Params that are the same", items: same.map((one) => ({ id: `params.${one.key}`, label: one.key, detail: text(one) })) },
    { title: "Run", items: Object.entries(ATTRIBUTES).map(([key, one]) => ({ id: `attributes.${key}`, label: one.label })) },
    {
      title: "Tags",
      items: (summary?.tags ?? []).filter((one) => isOwnTag(one.key) || ["mlflow.source.name", "mlflow.source.git.commit", "mlflow.source.git.branch", "mlflow.note.content"].includes(one.key))
        .map((one) => ({ id: `tags.${one.key}`, label: one.key, detail: text(one) })),
    },
  ];
  return (
    <Drop label="Columns" icon="columns" text="Columns" wide pressed={chosenColumns.value !== null}>
      {() => (
        <Checklist
          label="Columns" search="Search columns" sections={sections} checked={checked} onToggle={toggle}
          foot={
            <>
              <Button kind="quiet" onClick={() => setColumns(null)} disabled={chosenColumns.value === null}>Reset</Button>
              <Button kind="quiet" onClick={() => setColumns(shown.filter((id) => !id.startsWith("metrics.")))}>No metrics</Button>
              <Button kind="quiet" onClick={() => setColumns(shown.filter((id) => !id.startsWith("params.")))}>No params</Button>
            </>
          }
        />
      )}
    </Drop>
  );
}

export function GroupPicker({ summary }: { summary: Summary | null }) {
  const by = groupBy.value;
  const checked = new Set(by);
  const differing = (summary?.params ?? []).filter((one) => one.distinct > 1);
  const few = differing.filter((one) => one.distinct * 2 <= (summary?.total ?? 0) || one.distinct <= 20);
  const seed = differing.find((one) => /(^|[_.\-/])(random_)?(seed|fold|split|repeat)s?$/i.test(one.key));
  const others = seed ? differing.filter((one) => one !== seed) : [];
  const toggle = (id: string) => setGroup(checked.has(id) ? by.filter((one) => one !== id) : [...by, id]);
  const item = (kind: string, one: { key: string; distinct: number }) => ({ id: `${kind}.${one.key}`, label: one.key, detail: `${one.distinct} values` });
  const rest = differing.filter((one) => !few.includes(one));
  const sections = [
    { title: "Params", items: few.map((one) => item("params", one)) },
    { title: "Tags", items: (summary?.tags ?? []).filter((one) => isOwnTag(one.key) && one.distinct > 1).map((one) => item("tags", one)) },
    { title: "Run", items: ["status", "user_id", "experiment_id"].map((key) => ({ id: `attributes.${key}`, label: ATTRIBUTES[key]!.label })) },
    { title: "Params with many values", items: rest.map((one) => item("params", one)) },
  ];
  const text = by.length === 0 ? "Group" : by.length === 1 ? `By ${by[0]!.slice(by[0]!.indexOf(".") + 1)}` : `By ${by.length} columns`;
  return (
    <Drop label="Group" icon="group" text={text} wide pressed={by.length > 0}>
      {(close) => (
        <Checklist
          label="Group by" search="Group by" sections={sections} checked={checked} onToggle={toggle}
          foot={
            <>
              <Button kind="quiet" disabled={!by.length} onClick={() => { setGroup([]); close(); }}>No groups</Button>
              {seed && others.length > 0 && (
                <Button kind="quiet" onClick={() => { setGroup(others.map((one) => `params.${one.key}`)); close(); }}>
                  {`All params but ${seed.key}`}
                </Button>
              )}
            </>
          }
        />
      )}
    </Drop>
  );
}

const VIEW_TAG = "millstream.view.";
const MAX_VIEWS = 50;

interface SavedView {
  id: string;
  name: string;
  query: Record<string, string>;
}

/** Views that were saved in this experiment; what is damaged is left out. */
export function readViews(tags: Record<string, string>): SavedView[] {
  const found: SavedView[] = [];
  for (const [key, text] of Object.entries(tags)) {
    if (!key.startsWith(VIEW_TAG)) continue;
    try {
      const value = JSON.parse(text) as { name?: unknown; query?: unknown };
      if (typeof value.name !== "string" || typeof value.query !== "object" || value.query === null) continue;
      const query: Record<string, string> = {};
      for (const [name, one] of Object.entries(value.query)) {
        if (typeof one === "string" && name !== "__proto__") query[name] = one;
      }
      found.push({ id: key.slice(VIEW_TAG.length), name: value.name.slice(0, 100), query });
    } catch {
      // Somebody else's tag, or half of one.
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MAX_VIEWS);
}

export function Views({ may }: { may: May }) {
  const id = experimentIds.value[0] ?? "";
  const tags = experiments.value?.find((one) => one.id === id)?.tags ?? {};
  const views = readViews(tags);
  const [name, setName] = useState("");
  const save = (close: () => void) =>
    void attempt(async () => {
      const key = views.find((one) => one.name === name.trim())?.id ?? Math.random().toString(36).slice(2, 10);
      const { sel: _, ...state } = query.value;
      await source.post("experiments/set-experiment-tag", { experiment_id: id, key: VIEW_TAG + key, value: JSON.stringify({ name: name.trim(), query: state }) });
      setName("");
      close();
      say(`Saved the view “${name.trim()}”: everybody who uses this store sees it.`);
      await reloadExperiments();
    });
  const drop = (one: SavedView) =>
    void attempt(async () => {
      await source.post("experiments/delete-experiment-tag", { experiment_id: id, key: VIEW_TAG + one.id });
      await reloadExperiments();
      say(`Removed the view “${one.name}”.`, {
        undo: async () => {
          await source.post("experiments/set-experiment-tag", { experiment_id: id, key: VIEW_TAG + one.id, value: JSON.stringify({ name: one.name, query: one.query }) });
          await reloadExperiments();
        },
      });
    });
  return (
    <Drop label="Views" icon="bookmark" text="Views">
      {(close) => (
        <div class="views">
          {views.length === 0 && <p class="hint">A view keeps filter, columns, order, groups and charts under a name, for everybody.</p>}
          {views.map((one) => (
            <div class="view-line" key={one.id}>
              <button type="button" class="view-name" onClick={() => { close(); go(href(path.value, one.query)); }}>{one.name}</button>
              <Button kind="quiet" icon="trash" label={`Remove the view ${one.name}`} why={may.why("delete_experiment_tag")} onClick={() => drop(one)} />
            </div>
          ))}
          <form
            class="view-new"
            onSubmit={(event) => {
              event.preventDefault();
              if (name.trim() && may.can("set_experiment_tag")) save(close);
            }}
          >
            <Field label="Name of this view" value={name} data-first onInput={(event) => setName(event.currentTarget.value)} />
            <Button kind="primary" why={may.why("set_experiment_tag")} disabled={!name.trim() || views.length >= MAX_VIEWS} onClick={() => save(close)}>Save</Button>
          </form>
        </div>
      )}
    </Drop>
  );
}
