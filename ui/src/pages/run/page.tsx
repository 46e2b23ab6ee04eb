// The page of one run.

import { useEffect, useState } from "preact/hooks";
import { Button, CopyButton, Failure, Skeleton, Status, Tabs } from "../../widgets/parts.tsx";
import { Ask, Menu, type Item } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { ImageGrid } from "../../widgets/imagegrid.tsx";
import { Charts, ChartSettings } from "../../widgets/charts.tsx";
import { experimentNames } from "../../app/experiments.ts";
import { saveCopy } from "../../app/copy.ts";
import { useKeys } from "../../app/keys.ts";
import { useChanges, useLoad } from "../../app/load.ts";
import { useMay } from "../../app/rights.ts";
import { go, href, path, query } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import type { Run } from "../../data/source.ts";
import { colorsOf } from "../../lib/colors.ts";
import { worth } from "../../lib/columns.ts";
import { Artifacts } from "./artifacts.tsx";
import { Overview } from "./overview.tsx";

type Tab = "overview" | "charts" | "images" | "system" | "artifacts";

export function RunPage() {
  const [, experiment = "0", , id = "", tab = "overview", ...rest] = path.value;
  const loaded = useLoad(`run ${id}`, (signal) => source.run(id, signal), 3000);
  useChanges([experiment]);
  const may = useMay({ experiments: [experiment] });
  const run = loaded.stale || !may.ready ? undefined : loaded.data;
  const [renaming, setRenaming] = useState(false);
  const name = run?.info.run_name || id.slice(0, 8);
  useEffect(() => {
    document.title = `${name} · Millstream`;
  }, [name]);
  const to = (next: string) => go(href(["experiments", experiment, "runs", id, ...(next === "overview" ? [] : [next])], query.value));
  useKeys([
    { keys: "1", text: "Overview", run: () => to("overview") },
    { keys: "2", text: "Charts", run: () => to("charts") },
    { keys: "3", text: "Artifacts", run: () => to("artifacts") },
  ], [id]);
  const keys = (run?.metrics ?? []).map((one) => one.key).sort((a, b) => worth(b) - worth(a) || (a < b ? -1 : 1));
  const system = keys.filter((key) => key.startsWith("system/"));
  const own = keys.filter((key) => !key.startsWith("system/"));
  const color = colorsOf([id]).get(id)!;
  const options: [Tab, string][] = [["overview", "Overview"], ["charts", "Charts"], ...(run?.tags["mlflow.loggedImages"] ? [["images", "Images"] as [Tab, string]] : []), ...(system.length ? [["system", "System"] as [Tab, string]] : []), ["artifacts", "Artifacts"]];
  const current = options.find(([one]) => one === tab)?.[0] ?? "overview";
  const deleted = run?.info.lifecycle_stage === "deleted";
  const change = async (route: string, body: object) => {
    await source.post(route, { run_id: id, ...body });
    loaded.reload();
  };
  const which = { experiments: [experiment], where: `attributes.run_id = '${id}'`, view: 3 as const, order_by: [] };
  const reading: (Item | null)[] = [
    { label: "Copy the run id", icon: "copy", run: () => void navigator.clipboard?.writeText(id) },
    { label: "Copy the address", icon: "link", run: () => void navigator.clipboard?.writeText(location.href) },
  ];
  const items: (Item | null)[] = !run ? [] : !source.canWrite ? reading : [
    { label: "Rename", icon: "edit", disabled: deleted, why: may.why("update_run_info"), run: () => setRenaming(true) },
    ...reading,
    { label: "Save as one page", icon: "download", run: () => void saveCopy(which, location.hash, name) },
    null,
    deleted
      ? { label: "Restore", icon: "restore", why: may.why("restore_run"), run: () => void attempt(async () => { await change("runs/restore", {}); say("Restored the run."); }) }
      : { label: "Delete", icon: "trash", danger: true, why: may.why("delete_run"), run: () => void attempt(async () => {
          await change("runs/delete", {});
          say(`Deleted “${name}”.`, { undo: () => change("runs/restore", {}) });
        }) },
  ];
  const parent = run?.tags["mlflow.parentRunId"];
  return (
    <div class="page run-page">
      <header class="page-head">
        <nav class="crumbs" aria-label="Breadcrumb">
          <a href="#/experiments">Experiments</a>
          <Icon name="right" size={12} />
          <a href={href(["experiments", experiment])}>{experimentNames.value.get(experiment) ?? experiment}</a>
          <Icon name="right" size={12} />
          {parent && <><a href={href(["experiments", experiment, "runs", parent])}>parent</a><Icon name="right" size={12} /></>}
        </nav>
        <i class="dot" style={{ background: color }} />
        <h1 title={name}>{name}</h1>
        {run && <Status value={run.info.status} />}
        {deleted && <span class="badge bad">deleted</span>}
        <CopyButton text={id} label="Copy the run id" />
        <Menu label="Actions" icon="more" kind="quiet" items={items} />
        <span class="spring" />
        {deleted && source.canWrite && <Button icon="restore" why={may.why("restore_run")} onClick={() => void attempt(() => change("runs/restore", {}))}>Restore</Button>}
      </header>
      <Tabs<Tab> label="Parts of the run" value={current} options={options} onChange={to} />
      {loaded.error && !run ? (
        <Failure error={loaded.error} retry={loaded.reload} />
      ) : !run ? (
        <div class="pad"><Skeleton lines={10} height={16} /></div>
      ) : current === "overview" ? (
        <Overview run={run} may={may} reload={loaded.reload} />
      ) : current === "images" ? (
        <ImageGrid runs={[{ id, name, color }]} every={run.info.status === "RUNNING" ? 5000 : 0} />
      ) : current === "artifacts" ? (
        <Artifacts run={run} path={rest.join("/")} base={["experiments", experiment, "runs", id, "artifacts"]} />
      ) : (
        <RunCharts run={run} keys={current === "system" ? system : own} color={color} />
      )}
      {renaming && run && (
        <Ask title="Rename the run" label="Name" value={run.info.run_name} action="Rename" onClose={() => setRenaming(false)}
          onDone={(next) => void attempt(async () => {
            await change("runs/update", { run_name: next });
            say(`Renamed to “${next}”.`, { undo: () => change("runs/update", { run_name: run.info.run_name }) });
          })} />
      )}
    </div>
  );
}

function RunCharts({ run, keys, color }: { run: Run; keys: string[]; color: string }) {
  return (
    <div class="run-charts">
      <div class="charts-head"><ChartSettings /></div>
      <Charts runs={[{ id: run.info.run_id, name: run.info.run_name || run.info.run_id.slice(0, 8), color }]} keys={keys} hovered={null} onHover={() => undefined} empty="This run has logged no metrics yet." />
    </div>
  );
}
