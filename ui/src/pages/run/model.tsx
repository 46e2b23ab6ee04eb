// A folder with a model in it: signature, how to load and serve it, and its way into the registry.

import { useState } from "preact/hooks";
import { Button, Code, Failure, Field, Skeleton, Tabs } from "../../widgets/parts.tsx";
import { Dialog } from "../../widgets/overlay.tsx";
import { Panel } from "../../widgets/facts.tsx";
import { useLoad } from "../../app/load.ts";
import { useMayEach } from "../../app/rights.ts";
import { go, href } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import type { Run } from "../../data/source.ts";
import { readModel, type Field as Column, type ModelInfo, type ModelPlace } from "../../lib/mlmodel.ts";

/** What the `MLmodel` of a folder says. */
export async function modelAt({ id, folder }: ModelPlace, signal: AbortSignal): Promise<ModelInfo> {
  return readModel(new TextDecoder().decode((await source.bytes(id, folder ? `${folder}/MLmodel` : "MLmodel", 0, 1_000_000, signal)).body));
}

export function ModelFolder({ run, path }: { run: Run; path: string }) {
  const id = run.info.run_id;
  const loaded = useLoad(`model ${id} ${path}`, (signal) => modelAt({ id, folder: path }, signal));
  const [registering, setRegistering] = useState(false);
  if (loaded.error) return <Failure error={loaded.error} retry={loaded.reload} />;
  if (!loaded.data || loaded.stale) return <div class="pad"><Skeleton lines={8} /></div>;
  const info = loaded.data;
  return (
    <div class="model-folder">
      <div class="row">
        {info.flavors.filter((one) => one !== "python_function").map((one) => <span class="chip" key={one}>{one}</span>)}
        {info.flavors.includes("python_function") && <span class="chip">python_function</span>}
        <span class="spring" />
        {source.canWrite && <Button kind="primary" icon="box" onClick={() => setRegistering(true)}>Register model</Button>}
      </div>
      <Signature info={info} />
      <Snippets uri={`runs:/${id}/${path}`} info={info} full={`${run.info.artifact_uri}/${path}`} />
      {registering && <Register runId={id} at={`${run.info.artifact_uri.replace(/\/$/, "")}/${path}`} modelId={info.id} onClose={() => setRegistering(false)} />}
    </div>
  );
}

export function Signature({ info }: { info: ModelInfo }) {
  if (!info.inputs && !info.outputs && !info.params) return <p class="hint">This model was logged without a signature.</p>;
  return (
    <div class="signature">
      <Columns title="Inputs" columns={info.inputs} />
      <Columns title="Outputs" columns={info.outputs} />
      {info.params && <Columns title="Params" columns={info.params} />}
    </div>
  );
}

function Columns({ title, columns }: { title: string; columns: Column[] | null }) {
  return (
    <Panel title={title} {...(columns ? { count: columns.length } : {})}>
      {columns ? (
        <table class="key-table">
          <tbody>
            {columns.slice(0, 200).map((one, at) => (
              <tr key={at}><th scope="row">{one.name}</th><td><code>{one.type}</code>{!one.required && <span class="sub">optional</span>}</td></tr>
            ))}
          </tbody>
        </table>
      ) : <p class="hint pad-s">Not given.</p>}
    </Panel>
  );
}

export function Snippets({ uri, info, full }: { uri: string; info: ModelInfo; full: string }) {
  const [kind, setKind] = useState<"load" | "native" | "serve">("load");
  const native = info.flavors.find((one) => one !== "python_function");
  const row = (info.inputs ?? []).slice(0, 12).map((one) => JSON.stringify(one.name)).join(", ");
  const text = {
    load: `import mlflow\n\nmodel = mlflow.pyfunc.load_model("${uri}")\nmodel.predict(data)`,
    native: `import mlflow\n\nmodel = mlflow.${native ?? "pyfunc"}.load_model("${uri}")`,
    serve: `mlflow models serve -m "${uri}" -p 5001\n\ncurl http://127.0.0.1:5001/invocations \\\n  -H "Content-Type: application/json" \\\n  -d '{"dataframe_split": {"columns": [${row}], "data": [[…]]}}'`,
  };
  return (
    <div class="snippets">
      <Tabs label="How to use it" value={kind} onChange={setKind} options={[["load", "Predict"], ...(native ? [["native", native] as const] : []), ["serve", "Serve"]]} />
      <Code>{text[kind]}</Code>
      <p class="hint">The same folder by its full path: <code>{full}</code></p>
    </div>
  );
}

export function Register({ runId, at, modelId, onClose }: { runId: string; at: string; modelId: string; onClose: () => void }) {
  const [name, setName] = useState("");
  const [alias, setAlias] = useState("");
  const [find, setFind] = useState("");
  const known = useLoad(`registered ${find}`, (signal) => source.registeredModels(find, signal)).data ?? [];
  const may = useMayEach({ models: known.map((one) => one.name) });
  const existing = known.find((one) => one.name === name.trim());
  const why = existing ? may(existing.name).why("create_model_version") : undefined;
  const ready = !!name.trim() && why === undefined;
  const register = () => void attempt(async () => {
    const wanted = name.trim();
    if (!known.some((one) => one.name === wanted)) {
      try {
        await source.post("registered-models/create", { name: wanted });
      } catch (error) {
        if ((error as { code?: string }).code !== "RESOURCE_ALREADY_EXISTS") throw error;
      }
    }
    const body = { name: wanted, source: at, run_id: runId, ...(modelId.startsWith("m-") ? { model_id: modelId } : {}) };
    const made = (await source.post("model-versions/create", body)) as { model_version: { version: string } };
    const { version } = made.model_version;
    const named = alias.trim().replace(/^@/, "");
    if (named) await source.post("registered-models/alias", { name: wanted, alias: named, version });
    onClose();
    say(`Registered as ${wanted}, version ${version}${named ? `, @${named}` : ""}.`);
    go(href(["models", wanted, "versions", version]));
  });
  return (
    <Dialog
      title="Register the model" onClose={onClose}
      actions={<><Button onClick={onClose}>Cancel</Button><Button kind="primary" why={why} disabled={!ready} onClick={register}>{existing ? "Add a version" : "Register"}</Button></>}
    >
      <Field
        label="Name of the model, new or existing" value={name} data-first
        onInput={(event) => { setName(event.currentTarget.value); setFind(event.currentTarget.value.trim()); }}
        onKeyDown={(event) => event.key === "Enter" && ready && register()}
      />
      <Field
        label="Alias, such as champion (may be left out)" value={alias} onInput={(event) => setAlias(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && ready && register()}
      />
      {why && <p class="note warn" role="status">{why}</p>}
      {known.length > 0 && (
        <div class="options" role="listbox" aria-label="Existing models">
          {known.slice(0, 8).map((one) => (
            <div class="option" role="option" aria-selected={one.name === name.trim()} key={one.name} tabIndex={0} onClick={() => setName(one.name)} onKeyDown={(event) => event.key === "Enter" && setName(one.name)}>
              <span class="option-label">{one.name}</span>
              <span class="option-detail">{one.latest_versions.length ? `version ${Math.max(...one.latest_versions.map((version) => Number(version.version)))}` : "no versions"}</span>
            </div>
          ))}
        </div>
      )}
    </Dialog>
  );
}
