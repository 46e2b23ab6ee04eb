// The packages that the models of runs need, one file a run, from wherever its first model lies.

import { useLoad } from "../../app/load.ts";
import { source } from "../../data/index.ts";
import type { Cell } from "../../lib/format.ts";
import { requirements } from "../../lib/textdiff.ts";

const NAME = "requirements.txt";
const MOST_RUNS = 20;
const MOST_BYTES = 200_000;

/** Where the files of a run's models are: (what to ask for them, the folder there, what they are called). */
export async function modelFolders(run: string, experiment: string, signal: AbortSignal): Promise<[string, string, string][]> {
  const logged = await source.loggedModels([experiment], run, signal);
  const own = logged.map((one): [string, string, string] => [one.model_id, "", one.name]);
  const inRun: [string, string, string][] = [];
  for (const one of (await source.artifacts(run, "", signal)).filter((entry) => entry.is_dir).slice(0, 20)) {
    const inside = await source.artifacts(run, one.path, signal);
    if (inside.some((file) => file.path === `${one.path}/MLmodel`)) inRun.push([run, one.path, one.path]);
  }
  const names = new Set(inRun.map(([, , name]) => name));
  return [...inRun, ...own.filter(([, , name]) => !names.has(name))];
}

/** What the model in a folder of a run, or in a logged model, needs; null where it does not say. */
export async function packagesAt(id: string, folder: string, signal: AbortSignal): Promise<Map<string, string> | null> {
  const path = folder ? `${folder}/${NAME}` : NAME;
  const there = (await source.artifacts(id, folder, signal)).some((one) => one.path === path);
  return there ? requirements(new TextDecoder().decode((await source.bytes(id, path, 0, MOST_BYTES, signal)).body)) : null;
}

async function packagesOf(run: string, experiment: string, signal: AbortSignal): Promise<Map<string, string> | null> {
  for (const [id, folder] of await modelFolders(run, experiment, signal)) {
    const found = await packagesAt(id, folder, signal);
    if (found) return found;
  }
  return null;
}

/** Columns of packages, as `packages.NAME`: a cell for each run; nothing where no run has any. */
export function usePackages(runs: readonly string[], experiments: readonly Cell[]): Record<string, Cell[]> {
  const shown = runs.slice(0, MOST_RUNS);
  const loaded = useLoad(shown.length ? `packages ${shown.join(",")}` : null, async (signal) => {
    const all: (Map<string, string> | null)[] = [];
    for (const [at, run] of shown.entries()) all.push(await packagesOf(run, String(experiments[at] ?? "0"), signal).catch(() => null));
    const names = [...new Set(all.flatMap((one) => [...(one?.keys() ?? [])]))].sort();
    return Object.fromEntries(names.map((name) => [`packages.${name}`, runs.map((_, at): Cell => all[at]?.get(name) ?? null)]));
  });
  return loaded.data ?? {};
}
