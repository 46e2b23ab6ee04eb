// Sharing what is on show: its address, a frozen link, one page with the data in it.

import { Menu, type Item } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Button, copyText, Empty } from "../../widgets/parts.tsx";
import { saveCopy } from "../../app/copy.ts";
import { useLoad } from "../../app/load.ts";
import type { May } from "../../app/rights.ts";
import { go, href, patch, path, query } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import { count, date, whole } from "../../lib/format.ts";
import { frozenFilter, frozenTags, MOST_FROZEN, readFrozen, type Frozen } from "../../lib/frozen.ts";
import { ask, experimentIds, frozen, frozenKey, where } from "./state.ts";

const WINDOW = 500;

/** The ids of the runs that match, in the order of the table. */
async function matching(most: number): Promise<{ ids: string[]; more: boolean }> {
  const ids: string[] = [];
  for (;;) {
    const page = await source.runs(ask.value, [], ids.length, Math.min(WINDOW, most - ids.length));
    ids.push(...(page.columns["attributes.run_id"] as string[]));
    if (!page.more || ids.length >= most) return { ids, more: page.more };
  }
}

async function copyFrozen(): Promise<void> {
  const { ids, more } = await matching(MOST_FROZEN);
  if (!ids.length) throw new Error("There is no run to freeze.");
  const key = Math.random().toString(36).slice(2, 10);
  const kept: Frozen = { at: Date.now(), where: where.value, runs: ids };
  for (const [name, value] of frozenTags(key, kept)) {
    await source.post("experiments/set-experiment-tag", { experiment_id: experimentIds.value[0], key: name, value });
  }
  const { q: _q, since: _since, view: _view, sel: _sel, open: _open, frozen: _frozen, ...rest } = query.value;
  await copyText(location.href.split("#")[0] + href(path.value, { frozen: key, ...rest }));
  say(`Copied a link to ${more ? `the first ${whole(ids.length)} runs` : `these ${count(ids.length, "run")}`}: it shows the same ones whatever is logged later.`);
}

export function Share({ may }: { may: May }) {
  const items: (Item | null)[] = [
    { label: "Copy the address", icon: "link", run: () => void attempt(async () => {
      await copyText(location.href);
      say("Copied the address: it shows what matches when it is opened.");
    }) },
    { label: "Copy a frozen link", icon: "pin", why: may.why("set_experiment_tag"), run: () => void attempt(copyFrozen) },
    { label: "Save as one page", icon: "download", disabled: !source.canWrite, run: () => void saveCopy(ask.value, location.hash, "runs") },
  ];
  return <Menu label="Share" icon="share" text="Share" items={items} />;
}

/** Reads the frozen link of the address. While it does, nothing else is to be shown. */
export function useFrozen(): "none" | "reading" | "gone" | "here" {
  const key = frozenKey.value;
  const first = experimentIds.value[0] ?? "";
  const loaded = useLoad(key ? `frozen ${first} ${key}` : null, async (signal) => ({ key, found: readFrozen(key, await source.experimentTags(first, signal)) }));
  if (!key) return "none";
  const found = loaded.data?.key === key ? loaded.data.found : undefined;
  if (found === undefined) return loaded.error ? "gone" : "reading";
  if (found && frozen.peek()?.key !== key) frozen.value = { key, ...found, filter: frozenFilter(found) };
  return found ? "here" : "gone";
}

/** What is shown where a frozen link leads nowhere. */
export function FrozenGone() {
  return (
    <Empty icon="pin" title="This frozen link leads nowhere">
      <p>It was made in another store, or what it keeps was removed from the tags of its experiment.</p>
      <Button onClick={() => patch({ frozen: undefined })}>Show the runs as they are now</Button>
    </Empty>
  );
}

/** Says since when the rows are the same, and which of them were deleted since. */
export function FrozenLine() {
  const kept = frozen.value;
  const key = frozenKey.value;
  const question = { ...ask.value, where: kept?.filter ?? "", order_by: [] };
  const loaded = useLoad(kept && key ? `still there ${key}` : null, async (signal) => {
    const here = new Map<string, string>();
    for (let at = 0; ; at += WINDOW) {
      const page = await source.runs(question, [], at, WINDOW, signal);
      page.columns["attributes.run_id"]!.forEach((id, row) => here.set(String(id), String(page.columns["attributes.lifecycle_stage"]![row])));
      if (!page.more) return here;
    }
  }, 10_000);
  if (!kept || !key) return null;
  const here = loaded.data;
  const deleted = here ? [...here.values()].filter((stage) => stage === "deleted").length : 0;
  const gone = here ? kept.runs.length - here.size : 0;
  const lost = [deleted && `${whole(deleted)} ${deleted === 1 ? "is" : "are"} in the trash`, gone && `${whole(gone)} ${gone === 1 ? "was" : "were"} removed for good`].filter(Boolean).join(", ");
  return (
    <p class="banner frozen" role="status">
      <Icon name="pin" size={14} />
      <span>{`Frozen on ${date(kept.at).slice(0, 16)}: the ${count(kept.runs.length, "run")} that ${kept.where ? "matched" : "were there"} then.`}</span>
      {kept.where && <code title={kept.where}>{kept.where}</code>}
      <span>{!here ? "" : lost ? `Since then ${lost}.` : "All of them are still there."}</span>
      <Button kind="quiet" onClick={() => go(href(path.value, { ...query.value, frozen: undefined as unknown as string, q: kept.where }))}>Show what matches now</Button>
    </p>
  );
}
