// The trash: what was deleted, how much room it takes, back or away for good.

import { useEffect, useState } from "preact/hooks";
import { Button, Empty, Failure, Skeleton } from "../widgets/parts.tsx";
import { Dialog } from "../widgets/overlay.tsx";
import { Icon } from "../widgets/icon.tsx";
import { who } from "../app/account.tsx";
import { AdministratorsOnly } from "../app/only.tsx";
import { experimentNames, reloadExperiments } from "../app/experiments.ts";
import { useLoad } from "../app/load.ts";
import { href } from "../app/router.ts";
import { attempt, say } from "../app/toasts.tsx";
import { source } from "../data/index.ts";
import type { Trash, TrashAsk, TrashItem } from "../data/source.ts";
import { bytes, count, whole } from "../lib/format.ts";
import { counted, trashLines, type TrashLine } from "../lib/trash.ts";

const ICONS = { run: "chart", model: "box", experiment: "flask" } as const;

export function TrashPage() {
  return who.value === null ? <TrashList /> : <AdministratorsOnly what="the trash"><TrashList /></AdministratorsOnly>;
}

function TrashList() {
  const loaded = useLoad("trash", (signal) => source.trash({}, signal), 20_000);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [removing, setRemoving] = useState<TrashAsk | null>(null);
  useEffect(() => {
    document.title = "Trash · Millstream";
  }, []);
  const trash = loaded.data;
  const lines = trash ? trashLines(trash.items) : [];
  const picked = lines.filter((one) => chosen.has(one.id));
  const total = trash ? trash.counts.run + trash.counts.model + trash.counts.experiment : 0;
  const restorable = picked.filter((one) => one.kind !== "model");
  const restore = () => void attempt(async () => {
    for (const one of restorable) await source.post(`${one.kind}s/restore`, { [`${one.kind}_id`]: one.id });
    setChosen(new Set());
    await reloadExperiments();
    say(`Restored ${count(restorable.length, "entry").replace("entrys", "entries")}.`, {
      undo: async () => {
        for (const one of restorable) await source.post(`${one.kind}s/delete`, { [`${one.kind}_id`]: one.id });
        await reloadExperiments();
      },
    });
  });
  return (
    <div class="page list-page">
      <header class="page-head">
        <h1>Trash</h1>
        {trash && total > 0 && <span class="dim" role="status">{`${counted(trash.counts)}, ${trash.measured ? "" : "more than "}${bytes(trash.bytes)} of files`}</span>}
        <span class="spring" />
        {total > 0 && <Button kind="danger" icon="trash" onClick={() => setRemoving({})}>Empty the trash…</Button>}
      </header>
      {loaded.error && !trash ? <Failure error={loaded.error} retry={loaded.reload} />
        : !trash ? <div class="pad"><Skeleton lines={8} height={18} /></div>
        : !lines.length ? <Empty icon="trash" title="The trash is empty">What you delete is kept here until somebody empties it.</Empty>
        : (
          <div class="table-scroll">
            <table class="list">
              <thead><tr><th class="narrow"><span class="sr">Chosen</span></th><th>Name</th><th class="hide-small">Experiment</th><th>Size</th></tr></thead>
              <tbody>
                {lines.map((one) => (
                  <Line key={one.id} line={one} chosen={chosen.has(one.id)} onToggle={() => setChosen((before) => {
                    const next = new Set(before);
                    if (!next.delete(one.id)) next.add(one.id);
                    return next;
                  })} />
                ))}
              </tbody>
            </table>
            {total > trash.items.length && <p class="hint pad">{`The first ${whole(trash.items.length)} of ${whole(total)}; emptying removes all.`}</p>}
          </div>
        )}
      {picked.length > 0 && (
        <div class="selection-bar" role="toolbar" aria-label="Chosen entries">
          <strong>{picked.length} chosen</strong>
          <Button kind="primary" icon="restore" disabled={!restorable.length} title={restorable.length ? undefined : "Deleted logged models cannot be restored."} onClick={restore}>Restore</Button>
          <Button icon="trash" onClick={() => setRemoving(named(picked))}>Remove for good…</Button>
          <Button kind="quiet" onClick={() => setChosen(new Set())}>Clear</Button>
        </div>
      )}
      {removing && <Removal which={removing} onClose={() => setRemoving(null)} onDone={() => {
        setRemoving(null);
        setChosen(new Set());
        loaded.reload();
        void reloadExperiments();
      }} />}
    </div>
  );
}

function named(lines: readonly TrashLine[]): TrashAsk {
  const ids = (kind: TrashItem["kind"]) => lines.filter((one) => one.kind === kind).map((one) => one.id);
  return { runs: ids("run"), models: ids("model"), experiments: ids("experiment") };
}

function Line({ line: one, chosen, onToggle }: { line: TrashLine; chosen: boolean; onToggle: () => void }) {
  const name = one.name || one.id;
  const place = one.kind === "experiment" ? null : (experimentNames.value.get(one.experiment) ?? one.experiment);
  return (
    <tr class={chosen ? "selected" : ""}>
      <td class="narrow"><input type="checkbox" aria-label={`Choose ${name}`} checked={chosen} onChange={onToggle} /></td>
      <td class="main">
        <span class="trash-name">
          <Icon name={ICONS[one.kind]} size={14} />
          {one.kind === "run" ? <a href={href(["experiments", one.experiment, "runs", one.id])}>{name}</a> : <span>{name}</span>}
          <span class="dim">{one.kind === "experiment" ? (one.runs ? `experiment with ${count(one.runs, "run")}` : "experiment") : one.kind}</span>
        </span>
        {one.stays && <p class="sub warn">{`Its files cannot be removed from here: ${one.stays}`}</p>}
      </td>
      <td class="hide-small">{place === null ? <span class="dim">–</span> : <a href={href(["experiments", one.experiment])}>{place}</a>}</td>
      <td class="number">{bytes(one.bytes)}</td>
    </tr>
  );
}

/** What would go, asked just now; then it goes. */
function Removal({ which, onClose, onDone }: { which: TrashAsk; onClose: () => void; onDone: () => void }) {
  const dry = useLoad(`removal ${JSON.stringify(which)}`, (signal) => source.trash(which, signal));
  const [left, setLeft] = useState<number | null>(null);
  const found = dry.data;
  const held = found?.items.filter((one) => one.stays) ?? [];
  const remove = (seen: Trash) => void attempt(async () => {
    const all = seen.counts.run + seen.counts.model + seen.counts.experiment;
    setLeft(all);
    try {
      const { removed, stays } = await source.emptyTrash(which, seen.until, setLeft);
      say(`Removed ${whole(removed)} of ${whole(all)} for good.${stays[0] ? ` ${count(stays.length, "thing")} stayed: ${stays[0].reason}` : ""}`, { bad: stays.length > 0 });
    } finally {
      onDone();
    }
  });
  return (
    <Dialog
      title="Remove for good?" onClose={left === null ? onClose : () => undefined}
      actions={
        <>
          <Button disabled={left !== null} onClick={onClose}>Cancel</Button>
          <Button kind="danger" disabled={!found || left !== null} onClick={() => remove(found!)}>{left === null ? "Remove for good" : `${whole(left)} left…`}</Button>
        </>
      }
    >
      {dry.error ? <Failure error={dry.error} retry={dry.reload} /> : !found ? <Skeleton lines={3} /> : (
        <>
          <p>{`This removes ${counted(found.counts)} with ${found.measured ? "" : "more than "}${bytes(found.bytes)} of files. It cannot be undone.`}</p>
          {held.length > 0 && (
            <div class="note warn">
              <p>{`${count(held.length, "thing")} will stay, as the files cannot be removed from here:`}</p>
              <ul>{held.slice(0, 5).map((one) => <li key={one.id}>{one.name || one.id}</li>)}</ul>
            </div>
          )}
          <p class="hint">What is deleted from now on is not touched. <code>mlflow gc</code> does the same from a terminal.</p>
        </>
      )}
    </Dialog>
  );
}
