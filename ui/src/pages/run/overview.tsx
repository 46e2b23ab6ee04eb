// What a run is: its state, what it was given, what it measured, where it came from.

import { useMemo, useState } from "preact/hooks";
import { Button, CopyButton, Status, Time } from "../../widgets/parts.tsx";
import { Description, Facts, KeyTable, Panel, Tags } from "../../widgets/facts.tsx";
import { useLoad } from "../../app/load.ts";
import type { May } from "../../app/rights.ts";
import { href } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { Run } from "../../data/source.ts";
import { worth } from "../../lib/columns.ts";
import { Register } from "./model.tsx";
import { date, duration, metric, num, whole } from "../../lib/format.ts";

export function Overview({ run, may, reload }: { run: Run; may: May; reload: () => void }) {
  const { info, tags } = run;
  const id = info.run_id;
  const models = useLoad(`models of ${id}`, (signal) => source.loggedModels([info.experiment_id], id, signal), 10_000).data ?? [];
  const versions = useLoad(`versions of ${id}`, (signal) => source.versions(`run_id = '${id}'`, signal), 10_000).data ?? [];
  const children = useLoad(`children of ${id}`, (signal) => source.runs({ experiments: [info.experiment_id], where: `tags.\`mlflow.parentRunId\` = '${id}'`, view: 1, order_by: [] }, [], 0, 50, signal), 10_000).data;
  const metrics = useMemo(() => [...run.metrics].sort((a, b) => worth(b.key) - worth(a.key) || (a.key < b.key ? -1 : 1)), [run.metrics]);
  const params = useMemo(() => [...run.params].sort((a, b) => (a.key < b.key ? -1 : 1)), [run.params]);
  const own = Object.entries(tags).filter(([key]) => !key.startsWith("mlflow.") && !key.startsWith("millstream.")).map(([key, value]) => ({ key, value }));
  const commit = tags["mlflow.source.git.commit"];
  const [registering, setRegistering] = useState<{ at: string; id: string } | null>(null);
  const failure = tags["millstream.error.type"];
  const end = info.end_time;
  const set = async (key: string, value: string) => {
    await source.post("runs/set-tag", { run_id: id, key, value });
    reload();
  };
  return (
    <div class="overview">
      <div class="overview-main">
        {failure && (
          <section class="failed-box" aria-label="What went wrong">
            <h2>{failure}</h2>
            {tags["millstream.error.message"] && <p>{tags["millstream.error.message"]}</p>}
            {tags["millstream.error.trace"] && <details><summary>Where it happened</summary><pre>{tags["millstream.error.trace"]}</pre></details>}
          </section>
        )}
        <Description text={tags["mlflow.note.content"] ?? ""} onSave={may.can("set_tag") && info.lifecycle_stage === "active" ? (text) => set("mlflow.note.content", text) : null} />
        <KeyTable
          title="Metrics" empty="No metrics yet."
          rows={metrics.map((one) => {
            const value = metric(one.value) ?? Number(one.value);
            return {
              key: one.key, text: String(one.value), sub: `step ${whole(Number(one.step))}`,
              value: <a href={href(["experiments", info.experiment_id, "runs", id, one.key.startsWith("system/") ? "system" : "charts"], { find: `^${one.key.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$` })} title={String(one.value)}>{num(value, 6)}</a>,
            };
          })}
        />
        <KeyTable title="Params" empty="No params." rows={params.map((one) => ({ key: one.key, text: one.value, value: <span class="value-text">{one.value}</span> }))} />
        {run.datasets.length > 0 && (
          <Panel title="Datasets" count={run.datasets.length}>
            <table class="key-table">
              <tbody>
                {run.datasets.map((one) => (
                  <tr key={one.dataset.name + one.dataset.digest}>
                    <th scope="row">{one.dataset.name}</th>
                    <td>
                      <code>{one.dataset.digest}</code>
                      <span class="sub">{[one.tags.find((tag) => tag.key === "mlflow.data.context")?.value, one.dataset.source_type, sizeOf(one.dataset.profile)].filter(Boolean).join(" · ")}</span>
                    </td>
                    <td class="copy-cell"><CopyButton text={one.dataset.digest} label="Copy the digest" /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Panel>
        )}
      </div>
      <aside class="overview-side">
        <Panel title="About">
          <Facts
            rows={[
              ["Status", <Status value={info.status} />],
              ["Started", <span title={date(info.start_time)}><Time value={info.start_time} /> <span class="dim">{date(info.start_time)}</span></span>],
              ["Duration", end ? duration(end - info.start_time) : info.status === "RUNNING" ? `${duration(Date.now() - info.start_time)}, still running` : "–"],
              ["User", tags["mlflow.user"] || info.user_id || "–"],
              tags["mlflow.source.name"] ? ["Source", <code title={tags["mlflow.source.name"]}>{tags["mlflow.source.name"].split("/").pop()}</code>] : null,
              commit ? ["Commit", <span class="row-s"><code title={commit}>{commit.slice(0, 10)}</code>{tags["mlflow.source.git.dirty"] === "true" && <span class="chip killed">changed</span>}{tags["mlflow.source.git.branch"] && <span class="dim">{tags["mlflow.source.git.branch"]}</span>}<CopyButton text={commit} label="Copy the commit" /></span>] : null,
              ["Run ID", <span class="row-s"><code class="clip">{id}</code><CopyButton text={id} label="Copy the run id" /></span>],
              ["Artifacts", <span class="row-s"><code class="clip" title={info.artifact_uri}>{info.artifact_uri}</code><CopyButton text={info.artifact_uri} label="Copy the artifact location" /></span>],
            ]}
          />
        </Panel>
        <Panel title="Tags">
          <Tags tags={own} {...(may.can("set_tag") && info.lifecycle_stage === "active" ? { onSet: set } : {})} {...(may.can("delete_tag") && info.lifecycle_stage === "active" ? { onRemove: async (key: string) => {
            await source.post("runs/delete-tag", { run_id: id, key });
            reload();
          } } : {})} />
        </Panel>
        {(models.length > 0 || versions.length > 0) && (
          <Panel title="Models">
            <ul class="plain-list">
              {models.map((one) => (
                <li key={one.model_id}>
                  <a href={href(["experiments", info.experiment_id, "models", one.model_id])}>{one.name}</a>
                  <span class="dim">{one.status === "READY" ? "" : one.status.toLowerCase()}</span>
                  <span class="spring" />
                  <Button icon="box" onClick={() => setRegistering({ at: one.artifact_uri, id: one.model_id })}>Register</Button>
                </li>
              ))}
              {versions.map((one) => (
                <li key={`${one.name}/${one.version}`}>
                  <span class="dim">registered as</span>
                  <a href={href(["models", one.name, "versions", one.version])}>{one.name} {one.version}</a>
                  {one.aliases.map((alias) => <span class="chip" key={alias}>@{alias}</span>)}
                </li>
              ))}
            </ul>
          </Panel>
        )}
        {children && children.count > 0 && (
          <Panel title="Nested runs" count={children.count}>
            <ul class="plain-list">
              {(children.columns["attributes.run_id"] as string[]).map((child, at) => (
                <li key={child}>
                  <Status value={children.columns["attributes.status"]![at] as string} short />
                  <a href={href(["experiments", info.experiment_id, "runs", child])}>{children.columns["attributes.run_name"]![at] ?? child}</a>
                </li>
              ))}
            </ul>
            {children.more && <Button kind="quiet" onClick={() => (location.hash = href(["experiments", info.experiment_id], { q: `tags.\`mlflow.parentRunId\` = '${id}'` }))}>Show all</Button>}
          </Panel>
        )}
      </aside>
      {registering && <Register runId={id} at={registering.at} modelId={registering.id} onClose={() => setRegistering(null)} />}
    </div>
  );
}

function sizeOf(profile: string | undefined): string {
  try {
    const found = JSON.parse(profile ?? "{}") as { num_rows?: number };
    return found.num_rows ? `${whole(found.num_rows)} rows` : "";
  } catch {
    return "";
  }
}
