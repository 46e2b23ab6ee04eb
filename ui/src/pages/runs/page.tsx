// The page of one experiment or several: the runs as a table, as charts, or both.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button, Choice, Empty, Failure, Skeleton } from "../../widgets/parts.tsx";
import { Ask as AskDialog, Menu, type Item } from "../../widgets/overlay.tsx";
import { Code } from "../../widgets/parts.tsx";
import { Icon } from "../../widgets/icon.tsx";
import type { ChartRun } from "../../widgets/charts.tsx";
import { lazily } from "../../widgets/lazy.tsx";
import { experiments, reloadExperiments } from "../../app/experiments.ts";
import { useKeys } from "../../app/keys.ts";
import { useChanges, useLoad } from "../../app/load.ts";
import { useMay, type May } from "../../app/rights.ts";
import { pageCommands } from "../../app/palette.tsx";
import { go, href, patch, query } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import { colorsOf } from "../../lib/colors.ts";
import { constants, isDown, readDirections, split, summaryOf, type Summary } from "../../lib/columns.ts";
import { count, whole } from "../../lib/format.ts";
import { csvOf, download } from "../../lib/save.ts";
import { list } from "../../lib/url.ts";
import { About, AboutButton } from "./about.tsx";
import { SinceLastVisit } from "./news.tsx";
import { FilterLine, TimeFilter, ViewChoice } from "./filter.tsx";
import { GroupsTable } from "./groups.tsx";
import { ColumnPicker, GroupPicker, Views } from "./pickers.tsx";
import { Rows } from "./rows.ts";
import { rootsOnly, useTree } from "./tree.ts";
import { FrozenGone, FrozenLine, Share, useFrozen } from "./share.tsx";
import { RunsTable, SelectionBar } from "./table.tsx";
import { ask, chosenColumns, columnsOf, experimentIds, filterText, flat, frozenKey, groupBy, layout, opened, select, selection, setFilter, view, where, type Layout } from "./state.ts";

/** The charts are fetched when somebody wants to see them: the table needs none of it. */
const ChartSide = lazily(async () => (await import("./charts.tsx")).ChartSide);

const SHOWN_IN_CHARTS = 10;
const FIRST_COLUMNS = 20;

export function RunsPage() {
  const state = useFrozen();
  if (state === "reading") return <div class="page pad"><Skeleton lines={14} height={16} /></div>;
  if (state === "gone") return <FrozenGone />;
  return <Runs />;
}

function Runs() {
  const ids = experimentIds.value;
  const key = ids.join(",");
  const rows = useMemo(() => new Rows(), [key]);
  useChanges(ids);
  const may = useMay({ experiments: ids });
  const question = ask.value;
  const summaryAsk = useMemo(() => ({ ...question, order_by: [] }), [JSON.stringify({ ...question, order_by: [] })]);
  const [pace, setPace] = useState(600);
  const loaded = useLoad(JSON.stringify(summaryAsk), (signal) => source.summary(summaryAsk, signal), pace);
  // While what is shown belongs to an earlier filter, its keys still hold: columns do not jump.
  // Before there is any summary, the first rows say which columns there are.
  const first = loaded.data ? null : rows.first;
  const early = useMemo(() => (first ? summaryOf(first.columns, first.count) : null), [first]);
  const summary = loaded.data ?? early;
  useEffect(() => setPace(summary?.complete ? 4000 : 600), [summary?.complete]);
  const columnIds = useMemo(() => columnsOf(summary), [summary && JSON.stringify([summary.metrics.map((one) => one.key), summary.params.map((one) => [one.key, one.distinct > 1])]), query.value["cols"], key, layout.value]);
  const [directions, onDirection] = useDirections(ids[0] ?? "");
  useEffect(() => rows.start(), [rows]);
  // Below their parents, unless a filter or an order says where runs stand.
  const parents = Object.keys(summary?.children ?? {}).sort();
  const canNest = parents.length > 0 && !where.value && !question.order_by.length;
  const nested = canNest && !flat.value;
  const rootFilter = nested ? rootsOnly(parents) : "";
  const less = parents.length ? columnIds.filter((id) => id.startsWith("metrics.") && isDown(id.slice(8), directions)).join("\n") : "";
  const rootAsk = useMemo(() => ({ ...question, ...(rootFilter ? { where: rootFilter } : {}), ...(less ? { minimize: less.split("\n") } : {}) }), [question, rootFilter, less]);
  const [wanted, onColumns] = useWanted(columnIds);
  const asked = summary || chosenColumns.value ? wanted : null;
  useEffect(() => rows.show(rootAsk, asked), [rows, rootAsk, asked]);
  const tree = useTree(rows, question, nested ? opened.value : [], wanted);
  void rows.version.value;

  const chartRuns = useChartRuns(rows);
  const colors = useMemo(() => new Map(chartRuns.map((one) => [one.id, one.color])), [chartRuns]);
  const metricKeys = useMemo(() => (summary?.metrics ?? []).map((one) => one.key), [summary]);
  const actions = useActions(rows, loaded.reload);
  const [tagging, setTagging] = useState(false);

  useKeys([
    { keys: "c", text: "Compare the selected runs", run: () => selection.value.length > 1 && go(href(["compare"], { runs: list(selection.value) })) },
    { keys: "v", text: "Table, both, charts", run: () => patch({ layout: layout.value === "table" ? "split" : layout.value === "split" ? "charts" : undefined }) },
    { keys: "Escape", text: "Clear the selection", run: () => select([]) },
  ]);
  useEffect(() => {
    pageCommands.value = [
      { text: "Export these runs as CSV", icon: "download", run: () => void exportCsv(columnIds) },
      { text: "Show charts beside the table", icon: "split", run: () => patch({ layout: "split" }) },
    ];
    return () => {
      pageCommands.value = [];
    };
  }, [columnIds]);

  const only = ids.length === 1 ? experiments.value?.find((one) => one.id === key) : undefined;
  const error = rows.error.value;
  const wrongFilter = error && (error as { code?: string }).code === "INVALID_PARAMETER_VALUE" && filterText.value ? error.message : null;
  const nothing = rows.loaded && !rows.stale.value && rows.count === 0 && !error;
  return (
    <div class="page runs-page">
      <Header ids={ids} may={may} columnIds={columnIds} onExport={() => void exportCsv(columnIds)} />
      {only && <About experiment={only} may={may} />}
      {frozenKey.value && <FrozenLine />}
      <div class="toolbar">
        <FilterLine summary={summary} error={wrongFilter} />
        <div class="toolbar-rest">
          <TimeFilter />
          {!frozenKey.value && source.canWrite && <ViewChoice />}
          {canNest && <Button icon="nest" label="Nested runs below their parents" pressed={nested} onClick={() => patch({ flat: nested ? "1" : undefined })} />}
          <GroupPicker summary={summary} />
          <ColumnPicker summary={summary} />
          <Views may={may} />
          <Choice<Layout> label="Layout" value={layout.value} onChange={(value) => patch({ layout: value === "table" ? undefined : value })} options={[["table", "Table", "table"], ["split", "Table and charts", "split"], ["charts", "Charts", "chart"]]} />
        </div>
      </div>
      <SummaryLine rows={rows} summary={summary} nested={nested} />
      <div class={`runs-body layout-${layout.value}`}>
        {layout.value !== "charts" && (
          <div class="runs-table">
            {error && !wrongFilter && !rows.loaded ? (
              <Failure error={error} retry={() => rows.reload()} />
            ) : !rows.loaded && !wrongFilter ? (
              <div class="pad"><Skeleton lines={14} height={16} /></div>
            ) : nothing ? (
              <NoRuns ids={ids} />
            ) : groupBy.value.length ? (
              <GroupsTable summary={summary} columnIds={columnIds} directions={directions} colors={colors} />
            ) : (
              <RunsTable rows={rows} summary={summary} columnIds={columnIds} colors={colors} directions={directions} onDirection={onDirection} why={may.why("set_experiment_tag")} onColumns={onColumns} tree={tree} nested={nested} />
            )}
          </div>
        )}
        {layout.value !== "table" && (
          <ChartSide runs={chartRuns} keys={metricKeys} summary={summary} directions={directions} />
        )}
      </div>
      <SelectionBar may={may} deleted={view.value === 2} onDelete={actions.remove} onRestore={actions.restore} onTag={() => setTagging(true)} />
      {tagging && (
        <AskDialog
          title={`Tag ${count(selection.value.length, "run")}`} label="Tag, as key=value" action="Set the tag" hint="An existing tag of this key is replaced."
          onClose={() => setTagging(false)} onDone={actions.tag}
        />
      )}
    </div>
  );
}

const DIRECTIONS = "millstream.directions";

/** Which metrics are better when they are greater or less: said once, kept in the experiment for everybody. */
function useDirections(id: string): [Record<string, "up" | "down">, (metric: string, direction: "up" | "down") => void] {
  const text = experiments.value?.find((one) => one.id === id)?.tags[DIRECTIONS] ?? "{}";
  const directions = useMemo(() => readDirections(text), [text]);
  const set = (metric: string, direction: "up" | "down") =>
    void attempt(async () => {
      await source.post("experiments/set-experiment-tag", { experiment_id: id, key: DIRECTIONS, value: JSON.stringify({ ...directions, [metric]: direction }) });
      await reloadExperiments();
    });
  return [directions, set];
}

/** The columns in view, as the table tells them: no others are asked for. */
function useWanted(columnIds: readonly string[]): [string[], (ids: string[]) => void] {
  const [inView, setInView] = useState<string[]>([]);
  // Before the table is there, it will be the first ones.
  const name = (inView.length ? inView.filter((id) => columnIds.includes(id)) : columnIds.slice(0, FIRST_COLUMNS)).join("\n");
  const tell = useMemo(() => {
    let timer = 0;
    return (ids: string[]) => {
      clearTimeout(timer);
      timer = setTimeout(() => setInView(ids), 60) as unknown as number;
    };
  }, []);
  return [useMemo(() => (name ? name.split("\n") : []), [name]), tell];
}

/** The runs that charts show: those selected, or the first rows. */
function useChartRuns(rows: Rows): ChartRun[] {
  const version = rows.version.value;
  return useMemo(() => {
    const ids = selection.value.length ? selection.value.slice(0, 100) : rows.top(SHOWN_IN_CHARTS).map((one) => one.id);
    const colors = colorsOf(ids);
    return ids.map((id) => ({ id, name: rows.find(id)?.name || id.slice(0, 8), color: colors.get(id)! }));
  }, [rows, version, selection.value]);
}

function useActions(rows: Rows, reload: () => void) {
  const refresh = () => {
    rows.reload();
    reload();
  };
  const each = async (ids: readonly string[], path: string) => {
    for (let at = 0; at < ids.length; at += 8) await Promise.all(ids.slice(at, at + 8).map((id) => source.post(path, { run_id: id })));
    refresh();
  };
  return {
    remove: () =>
      void attempt(async () => {
        const ids = [...selection.value];
        select([]);
        await each(ids, "runs/delete");
        say(`Deleted ${count(ids.length, "run")}.`, { undo: () => each(ids, "runs/restore") });
      }),
    restore: () =>
      void attempt(async () => {
        const ids = [...selection.value];
        select([]);
        await each(ids, "runs/restore");
        say(`Restored ${count(ids.length, "run")}.`, { undo: () => each(ids, "runs/delete") });
      }),
    tag: (text: string) =>
      void attempt(async () => {
        const cut = text.indexOf("=");
        const [key, value] = cut < 0 ? [text.trim(), ""] : [text.slice(0, cut).trim(), text.slice(cut + 1).trim()];
        const ids = [...selection.value];
        await Promise.all(ids.map((id) => source.post("runs/set-tag", { run_id: id, key, value })));
        say(`Tagged ${count(ids.length, "run")} with ${key}.`);
        refresh();
      }),
  };
}

function Header({ ids, may, columnIds, onExport }: { ids: string[]; may: May; columnIds: readonly string[]; onExport: () => void }) {
  const found = (experiments.value ?? []).filter((one) => ids.includes(one.id));
  const one = ids.length === 1 ? found[0] : undefined;
  const [renaming, setRenaming] = useState(false);
  const title = ids.length > 1 ? `${ids.length} experiments` : (one?.name ?? (experiments.value ? `Experiment ${ids[0] ?? ""}` : ""));
  useEffect(() => {
    document.title = title ? `${title} · Millstream` : "Millstream";
  }, [title]);
  const change = async (path: string, body: object) => {
    await source.post(path, body);
    await reloadExperiments();
  };
  const items: (Item | null)[] = [
    ...(one && source.canWrite ? [{ label: "Rename", icon: "edit" as const, why: may.why("rename_experiment"), run: () => setRenaming(true) }] : []),
    ...(one ? [
      { label: "Copy the id", icon: "copy" as const, detail: one.id, run: () => void navigator.clipboard?.writeText(one.id) },
    ] : []),
    { label: "Export as CSV", icon: "download", disabled: !columnIds.length, run: onExport },
    ...(one && may.manages ? [{ label: "Who may use it", icon: "user" as const, run: () => go(href(["experiments", one.id, "access"])) }] : []),
    ...(one && one.id !== "0" && source.canWrite ? [null, {
      label: "Delete the experiment", icon: "trash" as const, danger: true, why: may.why("delete_experiment"),
      run: () => void attempt(async () => {
        await change("experiments/delete", { experiment_id: one.id });
        go(href(["experiments"]));
        say(`Deleted “${one.name}”.`, { undo: () => change("experiments/restore", { experiment_id: one.id }) });
      }),
    }] : []),
  ];
  return (
    <header class="page-head">
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="#/experiments">Experiments</a>
        <Icon name="right" size={12} />
      </nav>
      <h1 title={ids.length > 1 ? found.map((each) => each.name).join(", ") : title}>{title}</h1>
      {one?.stage === "deleted" && <span class="badge bad">deleted</span>}
      <Menu label="Actions" icon="more" kind="quiet" items={items} />
      {one && <AboutButton experiment={one} />}
      <span class="spring" />
      <Share may={may} />
      {renaming && one && (
        <AskDialog
          title="Rename the experiment" label="Name" value={one.name} action="Rename" onClose={() => setRenaming(false)}
          onDone={(name) => void attempt(async () => {
            await change("experiments/update", { experiment_id: one.id, new_name: name });
            say(`Renamed to “${name}”.`, { undo: () => change("experiments/update", { experiment_id: one.id, new_name: one.name }) });
          })}
        />
      )}
    </header>
  );
}

/** The tag in which a run keeps the type of the exception that ended it. */
const ERROR_TYPE = "millstream.error.type";

function SummaryLine({ rows, summary, nested }: { rows: Rows; summary: Summary | null; nested: boolean }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const known = summary?.complete ? summary.total : null;
  const total = nested ? known : (rows.total ?? known);
  const same = summary ? constants(summary) : [];
  const status = summary?.status ?? {};
  const addStatus = (value: string) => setFilter(`${filterText.value ? `${filterText.value} AND ` : ""}attributes.status = '${value}'`);
  return (
    <div class="summary-line" ref={box}>
      <span class="summary-count" aria-live="polite">
        {total === null ? (rows.loaded ? `${whole(rows.count)}+ runs` : "\u00a0") : count(total, "run")}
      </span>
      {(["RUNNING", "FAILED", "KILLED"] as const).map((value) =>
        status[value] ? (
          <button type="button" class={`chip ${value.toLowerCase()}`} key={value} onClick={() => addStatus(value)} title={`Show the ${value.toLowerCase()} ones`}>
            {`${whole(status[value])} ${value.toLowerCase()}`}
          </button>
        ) : null,
      )}
      {summary?.tags.some((one) => one.key === ERROR_TYPE) && !groupBy.value.length && (
        <button
          type="button" class="chip" title="Group the failed runs by their exception"
          onClick={() => patch({ q: status["FAILED"] && !filterText.value ? "attributes.status = 'FAILED'" : filterText.value || undefined, group: list([`tags.${ERROR_TYPE}`]), open: undefined })}
        >
          by error
        </button>
      )}
      {!groupBy.value.length && <SinceLastVisit ids={experimentIds.value} />}
      {summary && !summary.complete && <span class="dim">reading runs… {whole(summary.total)} so far</span>}
      {summary?.capped && <span class="note warn">Summaries speak of the newest {whole(summary.total)} runs.</span>}
      {same.length > 0 && (
        <button type="button" class="constants" aria-expanded={open} onClick={() => setOpen(!open)} title="Params with one value in all of these runs">
          <span class="dim">Same in all:</span> {(open ? same : same.slice(0, 4)).map((one) => <code key={one.key}>{one.key}={one.value}</code>)}
          {!open && same.length > 4 && <span class="dim">and {same.length - 4} more</span>}
        </button>
      )}
    </div>
  );
}

function NoRuns({ ids }: { ids: string[] }) {
  if (where.value || view.value === 2) {
    return (
      <Empty icon="filter" title={view.value === 2 && !where.value ? "Nothing is deleted" : "No run matches"}>
        {where.value && <Button onClick={() => patch({ q: undefined, since: undefined })}>Clear the filter</Button>}
      </Empty>
    );
  }
  const name = experiments.value?.find((one) => one.id === ids[0])?.name ?? "my-experiment";
  const address = `${location.origin}${location.pathname.replace(/\/$/, "")}`;
  return (
    <Empty icon="flask" title="No runs yet">
      <p>Log the first one from Python; it appears here by itself.</p>
      <Code>{`import mlflow

mlflow.set_tracking_uri("${address}")
mlflow.set_experiment(${JSON.stringify(name)})

with mlflow.start_run():
    mlflow.log_param("alpha", 0.5)
    for step in range(100):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)`}</Code>
    </Empty>
  );
}

async function exportCsv(columnIds: readonly string[]): Promise<void> {
  await attempt(async () => {
    const columns = ["attributes.start_time", "attributes.end_time", "attributes.status", ...columnIds.filter((id) => split(id) && !id.startsWith("attributes."))];
    const head = ["attributes.run_id", "attributes.run_name", ...columns];
    const table: (string | number | null)[][] = [];
    for (let offset = 0; offset < 50_000; offset += 500) {
      const page = await source.runs(ask.value, columns, offset, 500);
      for (let at = 0; at < page.count; at++) table.push(head.map((id) => page.columns[id]?.[at] ?? null));
      if (!page.more) break;
    }
    download("runs.csv", csvOf(head, table), "text/csv");
    say(`Exported ${count(table.length, "run")}.`);
  });
}
