// One version of a registered model: where it came from, what it takes and gives, how to use it.

import { useEffect, useState } from "preact/hooks";
import { Button, CopyButton, Failure, Skeleton, Status, Time } from "../../widgets/parts.tsx";
import { Menu } from "../../widgets/overlay.tsx";
import { TryIt } from "../../widgets/tryit.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Description, Facts, KeyTable, Panel, Tags } from "../../widgets/facts.tsx";
import { useLoad } from "../../app/load.ts";
import { useMay } from "../../app/rights.ts";
import { go, href, path } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import { metric, num } from "../../lib/format.ts";
import { placeOf } from "../../lib/mlmodel.ts";
import { modelAt, Signature, Snippets } from "../run/model.tsx";
import { Aliases } from "./aliases.tsx";
import { RunLink } from "./model.tsx";

const STAGES = ["None", "Staging", "Production", "Archived"];

export function VersionPage() {
  const [, name = "", , number = ""] = path.value;
  const quotedName = name.replaceAll("'", "''");
  const loaded = useLoad(`version ${name} ${number}`, async (signal) => {
    const found = (await source.versions(`name = '${quotedName}'`, signal)).find((one) => one.version === number);
    if (!found) throw new Error(`There is no version ${number} of ${name}.`);
    return found;
  }, 5000);
  const may = useMay({ models: [name] });
  const version = loaded.stale || !may.ready ? undefined : loaded.data;
  const place = version ? placeOf(version) : null;
  const inRun = place && place.id === version?.run_id ? place.folder : null;
  const run = useLoad(version?.run_id ? `run ${version.run_id}` : null, (signal) => source.run(version!.run_id, signal)).data;
  const info = useLoad(place ? `mlmodel ${place.id} ${place.folder}` : null, (signal) => modelAt(place!, signal));
  const [aliasing, setAliasing] = useState(false);
  useEffect(() => {
    document.title = `${name} ${number} · Millstream`;
  }, [name, number]);
  const tag = { name, version: number };
  const empty = { flavors: [], inputs: null, outputs: null, params: null, id: "", created: "", version: "", example: false };
  const change = async (route: string, body: object, method: "POST" | "PATCH" | "DELETE" = "POST") => {
    await source.post(route, { ...tag, ...body }, method);
    loaded.reload();
  };
  return (
    <div class="page">
      <header class="page-head">
        <nav class="crumbs" aria-label="Breadcrumb">
          <a href="#/models">Models</a><Icon name="right" size={12} /><a href={href(["models", name])}>{name}</a><Icon name="right" size={12} />
        </nav>
        <h1>Version {number}</h1>
        {version && <Status value={version.status} />}
        {version?.aliases.map((alias) => <span class="chip running" key={alias}>@{alias}</span>)}
        <Button kind="quiet" icon="edit" label="Aliases" why={may.why("set_registered_model_alias")} onClick={() => setAliasing(true)} />
        <span class="spring" />
        {version && (
          <Menu label="Stage" text={version.current_stage === "None" ? "No stage" : version.current_stage} items={STAGES.map((stage) => ({
            label: stage === "None" ? "No stage" : stage, checked: stage === version.current_stage, why: may.why("transition_model_version_stage"),
            run: () => void attempt(async () => {
              await change("model-versions/transition-stage", { stage, archive_existing_versions: false });
              say(`Version ${number} is in ${stage === "None" ? "no stage" : stage}.`, { undo: () => change("model-versions/transition-stage", { stage: version.current_stage, archive_existing_versions: false }) });
            }),
          }))} />
        )}
        <Menu label="Actions" icon="more" kind="quiet" items={[{ label: "Delete the version", icon: "trash", danger: true, why: may.why("delete_model_version"), run: () => void attempt(async () => {
          await source.post("model-versions/delete", tag, "DELETE");
          go(href(["models", name]));
          say(`Deleted version ${number} of ${name}.`);
        }) }]} />
      </header>
      {loaded.error && !version ? <Failure error={loaded.error} retry={loaded.reload} /> : !version ? <div class="pad"><Skeleton lines={8} /></div> : (
        <div class="overview">
          <div class="overview-main">
            <Description text={version.description} onSave={!may.can("update_model_version") ? null : (description) => change("model-versions/update", { description }, "PATCH")} />
            {info.data && <Signature info={info.data} />}
            <Panel title="Use it"><Snippets uri={version.aliases[0] ? `models:/${name}@${version.aliases[0]}` : `models:/${name}/${number}`} info={info.data ?? empty} full={version.source} /></Panel>
            {info.data && <TryIt key={info.data.id} info={info.data} />}
            {run && run.metrics.length > 0 && <KeyTable title="Metrics of its run" empty="" rows={run.metrics.map((one) => ({ key: one.key, text: String(one.value), value: num(metric(one.value) ?? Number(one.value), 6) }))} />}
            {run && run.params.length > 0 && <KeyTable title="Params of its run" empty="" rows={run.params.map((one) => ({ key: one.key, text: one.value, value: one.value }))} />}
          </div>
          <aside class="overview-side">
            <Panel title="Where it came from">
              <ol class="lineage">
                {run && <li><Icon name="flask" size={14} /><span>Run</span><RunLink id={version.run_id} /></li>}
                {version.model_id && <li><Icon name="box" size={14} /><span>Logged model</span>{run ? <a class="clip" href={href(["experiments", run.info.experiment_id, "models", version.model_id])} title={version.model_id}>{version.model_id}</a> : <code class="clip" title={version.model_id}>{version.model_id}</code>}</li>}
                {run && inRun && <li><Icon name="folder" size={14} /><span>Files</span><a href={href(["experiments", run.info.experiment_id, "runs", version.run_id, "artifacts", ...inRun.split("/")])}>{inRun}</a></li>}
                <li class="here"><Icon name="tag" size={14} /><span>Version</span>{number}</li>
                {version.aliases.map((alias) => <li key={alias}><Icon name="link" size={14} /><span>Alias</span>@{alias}</li>)}
              </ol>
            </Panel>
            <Panel title="About">
              <Facts rows={[["Made", <Time value={version.creation_timestamp} />], ["Changed", <Time value={version.last_updated_timestamp} />], ["Source", <span class="row-s"><code class="clip" title={version.source}>{version.source}</code><CopyButton text={version.source} label="Copy the source" /></span>]]} />
            </Panel>
            <Panel title="Tags">
              <Tags tags={version.tags} {...(may.can("set_model_version_tag") ? { onSet: (key: string, value: string) => change("model-versions/set-tag", { key, value }) } : {})} {...(may.can("delete_model_version_tag") ? { onRemove: (key: string) => change("model-versions/delete-tag", { key }, "DELETE") } : {})} />
            </Panel>
          </aside>
        </div>
      )}
      {aliasing && version && <Aliases version={version} onClose={() => setAliasing(false)} onDone={loaded.reload} />}
    </div>
  );
}
