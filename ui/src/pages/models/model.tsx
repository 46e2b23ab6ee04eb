// One registered model: its versions, aliases, tags and description.

import { useEffect, useState } from "preact/hooks";
import { Button, Empty, Failure, Skeleton, Time } from "../../widgets/parts.tsx";
import { Ask, Dialog, Menu } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Description, Facts, Panel, Tags } from "../../widgets/facts.tsx";
import { useLoad } from "../../app/load.ts";
import { useMay, type May } from "../../app/rights.ts";
import { go, href, path } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import type { ModelVersion } from "../../data/source.ts";
import { count, date } from "../../lib/format.ts";
import { plainMarkdown } from "../../lib/markdown.tsx";
import { list } from "../../lib/url.ts";
import { Aliases } from "./aliases.tsx";

export function ModelPage() {
  const name = path.value[1] ?? "";
  const loaded = useLoad(`model ${name}`, (signal) => source.registeredModel(name, signal), 5000);
  const versions = useLoad(`versions ${name}`, (signal) => source.versions(`name = '${name.replaceAll("'", "''")}'`, signal), 5000);
  const [renaming, setRenaming] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    document.title = `${name} · Millstream`;
  }, [name]);
  const reload = () => {
    loaded.reload();
    versions.reload();
  };
  const may = useMay({ models: [name] });
  const model = loaded.stale || !may.ready ? undefined : loaded.data;
  const all = versions.data ?? [];
  // The oldest first: what changed is told from it.
  const picked = all.filter((one) => chosen.has(one.version)).sort((a, b) => Number(a.version) - Number(b.version));
  return (
    <div class="page">
      <header class="page-head">
        <nav class="crumbs" aria-label="Breadcrumb"><a href="#/models">Models</a><Icon name="right" size={12} /></nav>
        <h1>{name}</h1>
        <Menu label="Actions" icon="more" kind="quiet" items={[
          { label: "Rename", icon: "edit", why: may.why("rename_registered_model"), run: () => setRenaming(true) },
          ...(may.manages ? [{ label: "Who may use it", icon: "user" as const, run: () => go(href(["models", name, "access"])) }] : []),
          null,
          { label: "Delete the model", icon: "trash", danger: true, why: may.why("delete_registered_model"), run: () => setRemoving(true) },
        ]} />
        <span class="spring" />
        {picked.length > 1 && <Button kind="primary" icon="compare" onClick={() => go(href(["models", name, "compare"], { versions: list(picked.map((one) => one.version)) }))}>{`Compare ${picked.length} versions`}</Button>}
      </header>
      {loaded.error && !model ? <Failure error={loaded.error} retry={loaded.reload} /> : !model ? <div class="pad"><Skeleton lines={8} /></div> : (
        <div class="overview">
          <div class="overview-main">
            <Description text={model.description} onSave={!may.can("update_registered_model") ? null : async (description) => {
              await source.post("registered-models/update", { name, description }, "PATCH");
              reload();
            }} />
            <Panel title="Versions" count={all.length}>
              {all.length ? (
                <div class="table-scroll">
                  <table class="list">
                    <thead><tr><th class="narrow"><span class="sr">Chosen</span></th><th>Version</th><th>Aliases</th><th>Made</th><th class="hide-small">Run</th><th class="hide-small">Description</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
                    <tbody>{all.map((one) => (
                      <VersionLine key={one.version} one={one} may={may} chosen={chosen.has(one.version)} reload={reload} onToggle={() => setChosen((before) => {
                        const next = new Set(before);
                        if (!next.delete(one.version)) next.add(one.version);
                        return next;
                      })} />
                    ))}</tbody>
                  </table>
                </div>
              ) : <Empty icon="box" title="No versions yet">Open a run, choose its model among the artifacts, and register it.</Empty>}
            </Panel>
          </div>
          <aside class="overview-side">
            <Panel title="About">
              <Facts rows={[["Created", date(model.creation_timestamp)], ["Changed", <Time value={model.last_updated_timestamp} />], ["Versions", String(all.length)]]} />
            </Panel>
            <Panel title="Tags">
              <Tags tags={model.tags} {...(may.can("set_registered_model_tag") ? { onSet: async (key: string, value: string) => {
                await source.post("registered-models/set-tag", { name, key, value });
                reload();
              } } : {})} {...(may.can("delete_registered_model_tag") ? { onRemove: async (key: string) => {
                await source.post("registered-models/delete-tag", { name, key }, "DELETE");
                reload();
              } } : {})} />
            </Panel>
          </aside>
        </div>
      )}
      {renaming && (
        <Ask title="Rename the model" label="Name" value={name} action="Rename" onClose={() => setRenaming(false)}
          onDone={(next) => void attempt(async () => {
            await source.post("registered-models/rename", { name, new_name: next });
            go(href(["models", next]));
            say(`Renamed to “${next}”.`);
          })} />
      )}
      {removing && (
        <Dialog title={`Delete ${name}?`} onClose={() => setRemoving(false)} actions={
          <>
            <Button onClick={() => setRemoving(false)}>Cancel</Button>
            <Button kind="danger" onClick={() => void attempt(async () => {
              await source.post("registered-models/delete", { name }, "DELETE");
              setRemoving(false);
              go(href(["models"]));
              say(`Deleted the model ${name}.`);
            })}>Delete</Button>
          </>
        }>
          <p>{`The model and its ${count(all.length, "version")} are removed from the registry for good. The files of the runs stay.`}</p>
        </Dialog>
      )}
    </div>
  );
}

function VersionLine({ one, may, chosen, onToggle, reload }: { one: ModelVersion; may: May; chosen: boolean; onToggle: () => void; reload: () => void }) {
  const [aliasing, setAliasing] = useState(false);
  return (
    <tr class={chosen ? "selected" : ""}>
      <td class="narrow"><input type="checkbox" aria-label={`Choose version ${one.version}`} checked={chosen} onChange={onToggle} /></td>
      <td><a href={href(["models", one.name, "versions", one.version])}>Version {one.version}</a>{one.current_stage !== "None" && <span class="chip"> {one.current_stage}</span>}</td>
      <td>
        <span class="tag-list">
          {one.aliases.map((alias) => <span class="chip running" key={alias}>@{alias}</span>)}
          <Button kind="quiet" icon="edit" label={`Aliases of version ${one.version}`} why={may.why("set_registered_model_alias")} onClick={() => setAliasing(true)} />
        </span>
      </td>
      <td><Time value={one.creation_timestamp} /></td>
      <td class="hide-small">{one.run_id ? <RunLink id={one.run_id} /> : <span class="dim">–</span>}</td>
      <td class="hide-small"><span class="sub">{plainMarkdown(one.description).slice(0, 80)}</span></td>
      <td class="narrow">
        <Menu label={`Actions for version ${one.version}`} icon="more" kind="quiet" items={[
          { label: "Aliases", icon: "edit", why: may.why("set_registered_model_alias"), run: () => setAliasing(true) },
          { label: "Delete", icon: "trash", danger: true, why: may.why("delete_model_version"), run: () => void attempt(async () => {
            await source.post("model-versions/delete", { name: one.name, version: one.version }, "DELETE");
            reload();
            say(`Deleted version ${one.version}.`);
          }) },
        ]} />
        {aliasing && <Aliases version={one} onClose={() => setAliasing(false)} onDone={reload} />}
      </td>
    </tr>
  );
}

/** The name of a run by its id. */
export function RunLink({ id }: { id: string }) {
  const loaded = useLoad(`run ${id}`, (signal) => source.run(id, signal));
  const run = loaded.data;
  if (!run) return <code title={id}>{id.slice(0, 8)}</code>;
  return <a href={href(["experiments", run.info.experiment_id, "runs", id])}>{run.info.run_name || id.slice(0, 8)}</a>;
}
