// The list of experiments.

import { useEffect, useState } from "preact/hooks";
import { Button, Choice, Empty, Failure, Field, Skeleton, Time } from "../widgets/parts.tsx";
import { Ask, Menu } from "../widgets/overlay.tsx";
import { reloadExperiments } from "../app/experiments.ts";
import { useKeys } from "../app/keys.ts";
import { useLoad } from "../app/load.ts";
import { useMayEach, type May } from "../app/rights.ts";
import { go, href, patch, query } from "../app/router.ts";
import { attempt, say } from "../app/toasts.tsx";
import { source } from "../data/index.ts";
import type { Activity, Experiment } from "../data/source.ts";
import { count, whole } from "../lib/format.ts";
import { plainMarkdown } from "../lib/markdown.tsx";

const BY = [["last", "Last activity"], ["name", "Name"], ["created", "Created"]] as const;

export function ExperimentsPage() {
  const deleted = query.value["view"] === "deleted";
  const find = (query.value["q"] ?? "").toLowerCase();
  const order = query.value["sort"] ?? "created";
  const loaded = useLoad(`experiments ${deleted}`, (signal) => source.experiments(deleted ? 2 : 1, signal), 6000);
  const [creating, setCreating] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const all = loaded.data?.experiments ?? [];
  const found = all.filter((one) => !find || one.name.toLowerCase().includes(find) || one.id === find || Object.entries(one.tags).some(([key, value]) => !key.startsWith("mlflow.") && `${key}=${value}`.toLowerCase().includes(find)));
  const ids = found.slice(0, 50).map((one) => one.id);
  const activity = useLoad(ids.length && !deleted ? `activity ${ids.join(",")}` : null, (signal) => source.activity(ids, signal), 6000).data ?? {};
  const may = useMayEach({ experiments: all.map((one) => one.id) });
  const sorted = [...found].sort((a, b) =>
    order === "name" ? (a.name < b.name ? -1 : 1)
      : order === "last" ? (activity[b.id]?.last ?? b.updated ?? 0) - (activity[a.id]?.last ?? a.updated ?? 0)
      : (b.created ?? 0) - (a.created ?? 0));
  useEffect(() => {
    document.title = "Experiments · Millstream";
  }, []);
  useKeys([
    { keys: "n", text: "New experiment", run: () => setCreating(true) },
    { keys: "/", text: "Find experiments", run: () => document.querySelector<HTMLInputElement>(".page-head input")?.focus() },
  ]);
  const toggle = (id: string) => setChosen((before) => {
    const next = new Set(before);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  return (
    <div class="page list-page">
      <header class="page-head">
        <h1>Experiments</h1>
        <span class="spring" />
        <Field label="Find experiments" icon="search" value={query.value["q"] ?? ""} onInput={(event) => patch({ q: event.currentTarget.value || undefined })} />
        <Choice label="Which" value={deleted ? "deleted" : "active"} options={[["active", "Active"], ["deleted", "Deleted"]]} onChange={(value) => patch({ view: value === "deleted" ? "deleted" : undefined })} />
        {source.canWrite && <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>New experiment</Button>}
      </header>
      {loaded.error && !loaded.data ? (
        <Failure error={loaded.error} retry={loaded.reload} />
      ) : !loaded.data || loaded.stale ? (
        <div class="pad"><Skeleton lines={8} height={18} /></div>
      ) : !sorted.length ? (
        <Empty icon="flask" title={find ? "No experiment has this name" : deleted ? "Nothing is deleted" : "No experiments yet"}>
          {find && <Button onClick={() => patch({ q: undefined })}>Show all</Button>}
        </Empty>
      ) : (
        <div class="table-scroll">
          <table class="list">
            <thead>
              <tr>
                <th class="narrow"><span class="sr">Chosen</span></th>
                {(["name", null, "last", "created"] as const).map((id, at) => (
                  <th key={at} aria-sort={id && id === order ? (id === "name" ? "ascending" : "descending") : undefined} class={at === 1 || at === 3 ? "hide-small" : ""}>
                    {id ? <button type="button" class={`sort ${id === order ? "on" : ""}`} onClick={() => patch({ sort: id === "created" ? undefined : id })}>{BY.find(([one]) => one === id)![1]}</button> : "Runs"}
                  </th>
                ))}
                <th class="hide-small">Tags</th>
                <th class="narrow"><span class="sr">Actions</span></th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((one) => (
                <Line key={one.id} experiment={one} activity={activity[one.id]} may={may(one.id)} chosen={chosen.has(one.id)} onToggle={() => toggle(one.id)} reload={loaded.reload} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {chosen.size > 1 && (
        <div class="selection-bar" role="toolbar" aria-label="Chosen experiments">
          <strong>{chosen.size} chosen</strong>
          <Button kind="primary" icon="table" onClick={() => go(href(["experiments", [...chosen].join(",")]))}>Show their runs together</Button>
          <Button kind="quiet" onClick={() => setChosen(new Set())}>Clear</Button>
        </div>
      )}
      {creating && (
        <Ask
          title="New experiment" label="Name" action="Create" onClose={() => setCreating(false)}
          onDone={(name) => void attempt(async () => {
            const made = (await source.post("experiments/create", { name })) as { experiment_id: string };
            await reloadExperiments();
            go(href(["experiments", made.experiment_id]));
          })}
        />
      )}
    </div>
  );
}

function Line({ experiment: one, activity, may, chosen, onToggle, reload }: {
  experiment: Experiment;
  may: May;
  activity: Activity | undefined;
  chosen: boolean;
  onToggle: () => void;
  reload: () => void;
}) {
  const [renaming, setRenaming] = useState(false);
  const change = async (path: string, body: object) => {
    await source.post(path, body);
    reload();
    await reloadExperiments();
  };
  const id = { experiment_id: one.id };
  const note = one.tags["mlflow.note.content"];
  const tags = Object.entries(one.tags).filter(([key]) => !key.startsWith("mlflow.") && !key.startsWith("millstream."));
  const isDeleted = one.stage === "deleted";
  return (
    <tr class={chosen ? "selected" : ""}>
      <td class="narrow"><input type="checkbox" aria-label={`Choose ${one.name}`} checked={chosen} onChange={onToggle} /></td>
      <td class="main">
        <a href={href(["experiments", one.id])}>{one.name}</a>
        {note && <p class="sub">{plainMarkdown(note).slice(0, 140)}</p>}
      </td>
      <td class="hide-small">
        {activity ? (
          <span class="activity">
            <span class="spark" aria-hidden="true">{activity.recent.slice(0, 16).reverse().map(([status], at) => <i key={at} class={status.toLowerCase()} />)}</span>
            <span>{activity.total === null ? "" : whole(activity.total)}</span>
            {activity.running > 0 && <span class="chip running">{activity.running} running</span>}
          </span>
        ) : null}
      </td>
      <td><Time value={activity?.last ?? null} /></td>
      <td class="hide-small"><Time value={one.created} /></td>
      <td class="hide-small"><span class="tag-list">{tags.slice(0, 3).map(([key, value]) => <code key={key} title={`${key}=${value}`}>{key}={value}</code>)}{tags.length > 3 && <span class="dim">+{tags.length - 3}</span>}</span></td>
      <td class="narrow">
        {source.canWrite && <Menu
          label={`Actions for ${one.name}`} icon="more" kind="quiet"
          items={isDeleted ? [
            { label: "Restore", icon: "restore", why: may.why("restore_experiment"), run: () => void attempt(async () => {
              await change("experiments/restore", id);
              say(`Restored “${one.name}”.`, { undo: () => change("experiments/delete", id) });
            }) },
          ] : [
            { label: "Rename", icon: "edit", why: may.why("rename_experiment"), run: () => setRenaming(true) },
            { label: "Description and tags", icon: "info", run: () => go(href(["experiments", one.id], { about: "1" })) },
            ...(may.manages ? [{ label: "Who may use it", icon: "user" as const, run: () => go(href(["experiments", one.id, "access"])) }] : []),
            ...(one.id === "0" ? [] : [{ label: "Delete", icon: "trash" as const, danger: true, why: may.why("delete_experiment"), run: () => void attempt(async () => {
              await change("experiments/delete", id);
              say(`Deleted “${one.name}” with ${activity?.total ? count(activity.total, "run") : "its runs"}.`, { undo: () => change("experiments/restore", id) });
            }) }]),
          ]}
        />}
        {renaming && (
          <Ask title="Rename the experiment" label="Name" value={one.name} action="Rename" onClose={() => setRenaming(false)}
            onDone={(name) => void attempt(async () => {
              await change("experiments/update", { ...id, new_name: name });
              say(`Renamed to “${name}”.`, { undo: () => change("experiments/update", { ...id, new_name: one.name }) });
            })} />
        )}
      </td>
    </tr>
  );
}
