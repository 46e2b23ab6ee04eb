// The audit log, for administrators: who did what, when and from where, the newest first.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Button, Empty, Failure, Skeleton, Time } from "../../widgets/parts.tsx";
import { useLoad } from "../../app/load.ts";
import { AdministratorsOnly } from "../../app/only.tsx";
import { patch, query } from "../../app/router.ts";
import { attempt } from "../../app/toasts.tsx";
import { audit, auditActions, users, type Event } from "../../data/users.ts";
import { date } from "../../lib/format.ts";
import { PeopleTabs } from "./form.tsx";

const PAGE = 100;
const HOUR = 3_600_000;
const SINCE = [["", "At any time"], ["1", "In the last hour"], ["24", "In the last day"], ["168", "In the last week"], ["720", "In the last 30 days"]] as const;

export function AuditPage() {
  return <AdministratorsOnly what="the audit log"><Log /></AdministratorsOnly>;
}

function Log() {
  const { who: username = "", what: action = "", hours = "" } = query.value;
  const name = JSON.stringify([username, action, hours]);
  // One moment for all pages of one question.
  const since = useMemo(() => (Number(hours) > 0 ? Date.now() - Number(hours) * HOUR : null), [name]);
  const loaded = useLoad(`audit ${name}`, () => audit({ username, action, since, before: null }, PAGE));
  const people = useLoad("users", () => users.all()).data ?? [];
  const known = useLoad("audit actions", () => auditActions()).data ?? [];
  const [older, setOlder] = useState<{ name: string; events: Event[]; ended: boolean }>({ name: "", events: [], ended: false });
  useEffect(() => {
    document.title = "Audit log · Millstream";
  }, []);
  const first = loaded.stale ? undefined : loaded.data;
  const rest = older.name === name ? older : { name, events: [], ended: (first?.length ?? 0) < PAGE };
  const events = [...(first ?? []), ...rest.events];
  const actions = [...new Set([...known, ...events.map((one) => one.action), ...(action ? [action] : [])])].sort();
  const more = () => void attempt(async () => {
    const found = await audit({ username, action, since, before: events.at(-1)!.id }, PAGE);
    setOlder({ name, events: [...rest.events, ...found], ended: found.length < PAGE });
  });
  const filtered = !!(username || action || hours);
  const renew = () => {
    setOlder({ name: "", events: [], ended: false });
    loaded.reload();
  };
  return (
    <div class="page list-page">
      <header class="page-head">
        <h1>Audit log</h1>
        <span class="spring" />
        <Button icon="restore" onClick={renew}>Look again</Button>
      </header>
      <PeopleTabs on="audit" />
      <div class="filters" role="search">
        <select aria-label="Who" value={username} onChange={(event) => patch({ who: event.currentTarget.value || undefined })}>
          <option value="">Everybody</option>
          {[...new Set([...people.map((one) => one.username), ...(username ? [username] : [])])].map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
        <select aria-label="What" value={action} onChange={(event) => patch({ what: event.currentTarget.value || undefined })}>
          <option value="">Everything</option>
          {actions.map((one) => <option key={one} value={one}>{one.replaceAll("_", " ")}</option>)}
        </select>
        <select aria-label="When" value={hours} onChange={(event) => patch({ hours: event.currentTarget.value || undefined })}>
          {SINCE.map(([id, text]) => <option key={id} value={id}>{text}</option>)}
        </select>
        {filtered && <Button kind="quiet" onClick={() => patch({ who: undefined, what: undefined, hours: undefined })}>Clear</Button>}
      </div>
      {loaded.error && !first ? <Failure error={loaded.error} retry={loaded.reload} />
        : !first ? <div class="pad"><Skeleton lines={10} height={18} /></div>
        : !events.length ? (
          <Empty icon="clock" title="Nothing was done">
            {filtered ? <Button onClick={() => patch({ who: undefined, what: undefined, hours: undefined })}>Show everything</Button> : "What people make, delete and grant is kept here, and sign-ins."}
          </Empty>
        ) : (
          <div class="table-scroll">
            <table class="list audit">
              <thead><tr><th>When</th><th>Who</th><th>What</th><th class="hide-small">On</th><th class="outcome">Outcome</th><th class="hide-small">From</th></tr></thead>
              <tbody>{events.map((one) => <Line key={one.id} one={one} />)}</tbody>
            </table>
            <div class="pad">
              {rest.ended ? <p class="hint">That is all of it.</p> : <Button onClick={more}>Show older</Button>}
            </div>
          </div>
        )}
    </div>
  );
}

function Line({ one }: { one: Event }) {
  return (
    <tr>
      <td title={date(one.time)}><Time value={one.time} /></td>
      <td class="clip-small"><button type="button" class="cell-link" title={`Only what ${one.username} did`} onClick={() => patch({ who: one.username })}>{one.username}</button></td>
      <td class="what"><button type="button" class="cell-link" title="Only this" onClick={() => patch({ what: one.action })}>{one.action.replaceAll("_", " ")}</button>{one.resource && <p class="sub show-small">{one.resource}</p>}</td>
      <td class="wrap resource hide-small">{one.resource || <span class="dim">–</span>}</td>
      <td class="outcome"><span class={`chip ${one.outcome === "done" ? "" : "failed"}`}>{one.outcome}</span></td>
      <td class="hide-small"><code>{one.address || "–"}</code></td>
    </tr>
  );
}
