// Code and other texts that two runs have, file by file: what is new, gone, and changed in which lines.

import { useState } from "preact/hooks";
import { Empty, Failure, Skeleton } from "../../widgets/parts.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { useLoad } from "../../app/load.ts";
import { patch, query } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { Artifact, Compared } from "../../data/source.ts";
import { bytes, count } from "../../lib/format.ts";
import { textDiff } from "../../lib/textdiff.ts";
import { modelFolders } from "./packages.ts";

const TEXTS = /(\.(py|ipynb|r|jl|sh|sql|ya?ml|toml|cfg|ini|json|txt|md|csv|env|conf|lock)|(^|\/)(MLmodel|Dockerfile|Makefile))$/i;
const [MOST_FILES, MOST_DEPTH, MOST_BYTES] = [400, 5, 300_000];

interface Found {
  /** What to ask for it, and its path there. */
  id: string;
  path: string;
  size: number;
}

/** The texts of a run and of its models, by what they are called on both sides. */
async function textsOf(run: string, experiment: string, signal: AbortSignal): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  const walk = async (id: string, folder: string, called: string, depth: number): Promise<void> => {
    const entries: Artifact[] = await source.artifacts(id, folder, signal);
    for (const one of entries) {
      if (found.size >= MOST_FILES) return;
      const name = called + one.path.slice(folder ? folder.length + 1 : 0);
      if (!one.is_dir) {
        if (TEXTS.test(one.path)) found.set(name, { id, path: one.path, size: one.file_size ?? 0 });
      } else if (depth < MOST_DEPTH) await walk(id, one.path, `${name}/`, depth + 1);
    }
  };
  await walk(run, "", "", 0);
  for (const [id, folder, name] of await modelFolders(run, experiment, signal)) {
    if (id !== run) await walk(id, folder, `${name}/`, 0);
  }
  return found;
}

interface Pair {
  name: string;
  a: Found | null;
  b: Found | null;
}

export function FilesDiff({ data, ids, nameOf }: { data: Compared; ids: string[]; nameOf: (at: number) => string }) {
  const base = Math.max(0, ids.indexOf(query.value["base"] ?? ids[0] ?? ""));
  const wanted = ids.indexOf(query.value["with"] ?? "");
  const other = wanted >= 0 && wanted !== base ? wanted : ids.findIndex((_, at) => at !== base);
  const experimentOf = (at: number) => String(data.columns["attributes.experiment_id"]?.[at] ?? "0");
  const loaded = useLoad(other >= 0 ? `texts ${ids[base]} ${ids[other]}` : null, async (signal) => {
    const [a, b] = await Promise.all([base, other].map((at) => textsOf(ids[at]!, experimentOf(at), signal)));
    return [...new Set([...a!.keys(), ...b!.keys()])].sort().map((name): Pair => ({ name, a: a!.get(name) ?? null, b: b!.get(name) ?? null }));
  });
  if (other < 0) return <Empty icon="compare" title="One run only">Files are compared between two runs.</Empty>;
  const pick = (label: string, name: string, at: number, without: number) => (
    <label class="pick"><span>{label}</span>
      <select value={ids[at]} onChange={(event) => patch({ [name]: event.currentTarget.value })}>
        {ids.map((id, each) => (each === without ? null : <option key={id} value={id}>{nameOf(each)}</option>))}
      </select>
    </label>
  );
  return (
    <div class="files-diff">
      <div class="chart-bar">{pick("From", "base", base, -1)}{pick("to", "with", other, base)}</div>
      {loaded.error ? <Failure error={loaded.error} retry={loaded.reload} />
        : !loaded.data || loaded.stale ? <Skeleton lines={8} />
        : !loaded.data.length ? <Empty icon="file" title="No texts">Neither run has logged code, requirements or other small texts.</Empty>
        : loaded.data.map((pair) => <FilePair key={pair.name} pair={pair} />)}
    </div>
  );
}

function FilePair({ pair }: { pair: Pair }) {
  const { name, a, b } = pair;
  const [open, setOpen] = useState(true);
  const small = (a?.size ?? 0) <= MOST_BYTES && (b?.size ?? 0) <= MOST_BYTES;
  const loaded = useLoad(a && b && small ? `pair ${a.id} ${a.path} ${b.id} ${b.path}` : null, async (signal) => {
    const [before, after] = await Promise.all([a!, b!].map(async (one) => (one.size === 0 ? "" : new TextDecoder().decode((await source.bytes(one.id, one.path, 0, MOST_BYTES + 1, signal)).body))));
    return { lines: textDiff(before!, after!) };
  });
  const lines = loaded.data?.lines;
  const changed = lines?.filter((one) => one.kind === "new" || one.kind === "gone").length ?? 0;
  const told = !a ? "new" : !b ? "gone" : !small ? "too large to compare here" : loaded.error ? loaded.error.message : !loaded.data ? "…" : lines ? `${count(changed, "line")} changed` : "the same";
  return (
    <section class="file-pair" aria-label={name}>
      <button type="button" class="file-head" aria-expanded={open && !!lines} disabled={!lines} onClick={() => setOpen(!open)}>
        <Icon name={lines ? (open ? "down" : "right") : "file"} size={12} />
        <code>{name}</code>
        <span class={`dim ${lines || !a || !b ? "warn-text" : ""}`}>{told}</span>
        <span class="dim">{a && b && a.size !== b.size ? `${bytes(a.size)} → ${bytes(b.size)}` : ""}</span>
      </button>
      {open && lines && (
        <div class="diff-lines" tabIndex={0} role="region" aria-label={`Changes of ${name}`}>
          <table>
            <tbody>
              {lines.slice(0, 2000).map((one, at) => one.kind === "skip" ? (
                <tr key={at} class="skip"><td /><td /><td>{`${count(Number(one.text), "line")} the same`}</td></tr>
              ) : (
                <tr key={at} class={one.kind}><td>{one.a ?? ""}</td><td>{one.b ?? ""}</td><td><span aria-hidden="true">{one.kind === "new" ? "+" : one.kind === "gone" ? "−" : " "}</span><span class="sr">{one.kind === "new" ? "new: " : one.kind === "gone" ? "gone: " : ""}</span>{one.text.slice(0, 1000)}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
