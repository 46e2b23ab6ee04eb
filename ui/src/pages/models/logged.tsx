// A logged model: what it takes and gives, what was measured on it, its files, where it came from and went.

import { useEffect, useState } from "preact/hooks";
import { Button, CopyButton, Empty, Failure, Skeleton, Status, Time } from "../../widgets/parts.tsx";
import { TryIt } from "../../widgets/tryit.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Facts, KeyTable, Panel, Tags } from "../../widgets/facts.tsx";
import { experimentNames } from "../../app/experiments.ts";
import { useLoad } from "../../app/load.ts";
import { useMay, type May } from "../../app/rights.ts";
import { href, patch, path, query } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { LoggedModel } from "../../data/source.ts";
import { isOwnTag } from "../../lib/columns.ts";
import { bytes, metric, num, whole } from "../../lib/format.ts";
import { modelAt, Register, Signature, Snippets } from "../run/model.tsx";
import { Preview } from "../run/preview.tsx";
import { RunLink } from "./model.tsx";

export function LoggedModelPage() {
  const [, experiment = "0", , id = ""] = path.value;
  const loaded = useLoad(`logged model ${id}`, (signal) => source.loggedModel(id, signal), 5000);
  const may = useMay({ experiments: [experiment] });
  const model = loaded.stale || !may.ready ? undefined : loaded.data;
  const info = useLoad(model ? `mlmodel ${id}` : null, (signal) => modelAt({ id, folder: "" }, signal));
  const versions = useLoad(model?.source_run_id ? `versions of ${model.source_run_id}` : null, (signal) => source.versions(`run_id = '${model!.source_run_id}'`, signal), 10_000).data?.filter((one) => one.model_id === id) ?? [];
  const [registering, setRegistering] = useState(false);
  const name = model?.name ?? id;
  useEffect(() => {
    document.title = `${name} · Millstream`;
  }, [name]);
  const own = (model?.tags ?? []).filter((one) => isOwnTag(one.key));
  return (
    <div class="page">
      <header class="page-head">
        <nav class="crumbs" aria-label="Breadcrumb">
          <a href="#/experiments">Experiments</a><Icon name="right" size={12} />
          <a href={href(["experiments", experiment])}>{experimentNames.value.get(experiment) ?? experiment}</a><Icon name="right" size={12} />
        </nav>
        <h1 title={name}>{name}</h1>
        {model && <Status value={model.status} />}
        <CopyButton text={id} label="Copy the model id" />
        <span class="spring" />
        {model && <Button kind="primary" icon="box" onClick={() => setRegistering(true)}>Register model</Button>}
      </header>
      {loaded.error && !model ? <Failure error={loaded.error} retry={loaded.reload} /> : !model ? <div class="pad"><Skeleton lines={8} /></div> : (
        <div class="overview">
          <div class="overview-main">
            {info.data ? <Signature info={info.data} /> : info.error ? <p class="hint">No MLmodel file could be read for this model.</p> : <Skeleton lines={3} />}
            {info.data && <Panel title="Use it"><Snippets uri={`models:/${id}`} info={info.data} full={model.artifact_uri} /></Panel>}
            {info.data && <TryIt key={info.data.id} info={info.data} />}
            <KeyTable title="Metrics" empty="Nothing was measured on this model." rows={model.metrics.map((one) => ({ key: one.key, text: String(one.value), sub: `step ${whole(Number(one.step))}`, value: num(metric(one.value) ?? Number(one.value), 6) }))} />
            {model.params.length > 0 && <KeyTable title="Params" empty="" rows={model.params.map((one) => ({ key: one.key, text: one.value, value: one.value }))} />}
            <Files id={id} />
          </div>
          <Side model={model} may={may} own={own} versions={versions} reload={loaded.reload} />
        </div>
      )}
      {registering && model && <Register runId={model.source_run_id} at={model.artifact_uri} modelId={id} onClose={() => setRegistering(false)} />}
    </div>
  );
}

function Side({ model, may, own, versions, reload }: { model: LoggedModel; may: May; own: LoggedModel["tags"]; versions: { name: string; version: string; aliases: string[] }[]; reload: () => void }) {
  const place = `logged-models/${model.model_id}/tags`;
  return (
    <aside class="overview-side">
      <Panel title="Where it came from">
        <ol class="lineage">
          {model.source_run_id && <li><Icon name="flask" size={14} /><span>Run</span><RunLink id={model.source_run_id} /></li>}
          <li class="here"><Icon name="box" size={14} /><span>Model</span><code class="clip" title={model.model_id}>{model.model_id}</code></li>
          {versions.map((one) => <li key={`${one.name} ${one.version}`}><Icon name="tag" size={14} /><span>Version</span><a href={href(["models", one.name, "versions", one.version])}>{one.name} {one.version}</a>{one.aliases.map((alias) => <span class="chip" key={alias}>@{alias}</span>)}</li>)}
        </ol>
      </Panel>
      <Panel title="About">
        <Facts rows={[["Made", <Time value={model.creation_timestamp_ms} />], model.model_type ? ["Type", model.model_type] : null, ["Artifacts", <span class="row-s"><code class="clip" title={model.artifact_uri}>{model.artifact_uri}</code><CopyButton text={model.artifact_uri} label="Copy the artifact location" /></span>]]} />
      </Panel>
      <Panel title="Tags">
        <Tags tags={own} {...(may.can("set_logged_model_tags") ? { onSet: async (key: string, value: string) => {
          await source.post(place, { tags: [{ key, value }] }, "PATCH");
          reload();
        } } : {})} {...(may.can("delete_logged_model_tag") ? { onRemove: async (key: string) => {
          await source.post(`${place}/${encodeURIComponent(key)}`, {}, "DELETE");
          reload();
        } } : {})} />
      </Panel>
    </aside>
  );
}

/** The files of a model: a folder at a time, a preview of the chosen one. */
function Files({ id }: { id: string }) {
  const [folder, setFolder] = useState("");
  const chosen = query.value["file"] ?? "";
  const listed = useLoad(`files ${id} ${folder}`, (signal) => source.artifacts(id, folder, signal));
  const entries = listed.stale ? [] : (listed.data ?? []);
  const size = entries.find((one) => one.path === chosen)?.file_size ?? null;
  return (
    <Panel title="Files" actions={folder ? <Button kind="quiet" icon="left" onClick={() => setFolder(folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "")}>{folder}</Button> : undefined}>
      {listed.error ? <Failure error={listed.error} retry={listed.reload} /> : listed.data && !entries.length && !listed.stale ? <Empty icon="folder" title="No files" /> : (
        <div class="folder-list">
          {entries.map((one) => (
            <button type="button" key={one.path} aria-pressed={one.is_dir ? undefined : one.path === chosen} onClick={() => (one.is_dir ? setFolder(one.path) : patch({ file: one.path === chosen ? undefined : one.path }))}>
              <Icon name={one.is_dir ? "folder" : "file"} />
              <span>{one.path.split("/").pop()}</span>
              <span class="dim">{one.file_size === null ? "" : bytes(one.file_size)}</span>
            </button>
          ))}
        </div>
      )}
      {chosen && (
        <>
          <div class="row"><strong>{chosen}</strong><a class="button" href={source.fileUrl(id, chosen)} download={chosen.split("/").pop()}><Icon name="download" /><span>Download</span></a></div>
          <Preview run={id} path={chosen} size={size} />
        </>
      )}
    </Panel>
  );
}
