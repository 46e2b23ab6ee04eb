// The registered models.

import { useEffect, useState } from "preact/hooks";
import { Button, Empty, Failure, Field, Skeleton, Time } from "../../widgets/parts.tsx";
import { Code } from "../../widgets/parts.tsx";
import { Ask } from "../../widgets/overlay.tsx";
import { useKeys } from "../../app/keys.ts";
import { useLoad } from "../../app/load.ts";
import { go, href, patch, query } from "../../app/router.ts";
import { attempt } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import { plainMarkdown } from "../../lib/markdown.tsx";

export function ModelsPage() {
  const find = query.value["q"] ?? "";
  const loaded = useLoad(`models ${find}`, (signal) => source.registeredModels(find, signal), 6000);
  const [creating, setCreating] = useState(false);
  useEffect(() => {
    document.title = "Models · Millstream";
  }, []);
  useKeys([
    { keys: "n", text: "New model", run: () => setCreating(true) },
    { keys: "/", text: "Find models", run: () => document.querySelector<HTMLInputElement>(".page-head input")?.focus() },
  ]);
  const models = loaded.data;
  return (
    <div class="page list-page">
      <header class="page-head">
        <h1>Models</h1>
        <span class="spring" />
        <Field label="Find models" icon="search" value={find} onInput={(event) => patch({ q: event.currentTarget.value || undefined })} />
        <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>New model</Button>
      </header>
      {loaded.error && !models ? <Failure error={loaded.error} retry={loaded.reload} />
        : !models ? <div class="pad"><Skeleton lines={6} height={18} /></div>
        : !models.length ? (
          <Empty icon="box" title={find ? "No model has this name" : "No registered models yet"}>
            {find ? <Button onClick={() => patch({ q: undefined })}>Show all</Button> : (
              <>
                <p>Register a model from the files of a run, or from Python:</p>
                <Code>{`mlflow.register_model("runs:/RUN_ID/model", "my-model")`}</Code>
              </>
            )}
          </Empty>
        ) : (
          <div class="table-scroll">
            <table class="list">
              <thead><tr><th>Name</th><th>Latest</th><th>Aliases</th><th class="hide-small">Changed</th><th class="hide-small">Tags</th></tr></thead>
              <tbody>
                {models.map((one) => {
                  const latest = Math.max(0, ...one.latest_versions.map((version) => Number(version.version)));
                  return (
                    <tr key={one.name}>
                      <td class="main"><a href={href(["models", one.name])}>{one.name}</a>{one.description && <p class="sub">{plainMarkdown(one.description).slice(0, 140)}</p>}</td>
                      <td>{latest ? <a href={href(["models", one.name, "versions", String(latest)])}>version {latest}</a> : <span class="dim">no versions</span>}</td>
                      <td><span class="tag-list">{one.aliases.slice(0, 4).map(({ alias, version }) => <a class="chip running" key={alias} href={href(["models", one.name, "versions", version])}>@{alias} → {version}</a>)}</span></td>
                      <td class="hide-small"><Time value={one.last_updated_timestamp} /></td>
                      <td class="hide-small"><span class="tag-list">{one.tags.slice(0, 3).map(({ key, value }) => <code key={key}>{key}={value}</code>)}</span></td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      {creating && (
        <Ask title="New model" label="Name" action="Create" onClose={() => setCreating(false)}
          onDone={(name) => void attempt(async () => {
            await source.post("registered-models/create", { name });
            go(href(["models", name]));
          })} />
      )}
    </div>
  );
}
