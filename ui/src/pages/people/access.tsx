// Who may do what with one experiment or registered model, for those who manage it.

import { useEffect, useState } from "preact/hooks";
import { Button, Empty, Failure, Skeleton } from "../../widgets/parts.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Panel } from "../../widgets/facts.tsx";
import { who } from "../../app/account.tsx";
import { experimentNames } from "../../app/experiments.ts";
import { useLoad } from "../../app/load.ts";
import { useMay } from "../../app/rights.ts";
import { href, path } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { access, type Access, type Thing } from "../../data/users.ts";
import { Level, LevelChoice } from "./form.tsx";

export function AccessPage() {
  const [first = "", key = ""] = path.value;
  const may = useMay(first === "models" ? { models: [key] } : { experiments: [key] });
  if (!may.ready) return <div class="page pad"><Skeleton lines={8} height={18} /></div>;
  if (may.manages) return <People />;
  if (who.value === null) return <Empty icon="users" title="This server has no users">Everybody who reaches it may do everything.</Empty>;
  return (
    <Empty icon="users" title="For those who manage it">
      <p>{may.why(first === "models" ? "delete_registered_model" : "delete_experiment") ?? "There is nothing here that you may see."}</p>
      <a href={href([first, key])}>Back to it</a>
    </Empty>
  );
}

function People() {
  const [first = "", key = ""] = path.value;
  const thing: Thing = { kind: first === "models" ? "model" : "experiment", key };
  const name = thing.kind === "model" ? key : (experimentNames.value.get(key) ?? key);
  const loaded = useLoad(`access ${thing.kind} ${key}`, (signal) => access.of(thing, signal));
  useEffect(() => {
    document.title = `Who may use ${name} · Millstream`;
  }, [name]);
  const change = (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>) => void attempt(async () => {
    await work();
    loaded.reload();
    say(done, undo ? { undo: async () => {
      await undo();
      loaded.reload();
    } } : {});
  });
  const found = loaded.stale ? undefined : loaded.data;
  // Who has no more than everybody is not listed one by one.
  const special = found?.people.filter((one) => one.is_admin || one.own !== null || one.through.length > 0) ?? [];
  const others = found?.people.filter((one) => one.own === null && !one.is_admin) ?? [];
  return (
    <div class="page">
      <header class="page-head">
        <nav class="crumbs" aria-label="Breadcrumb">
          <a href={`#/${first}`}>{thing.kind === "model" ? "Models" : "Experiments"}</a><Icon name="right" size={12} />
          <a href={href([first, key])}>{name}</a><Icon name="right" size={12} />
        </nav>
        <h1>Who may use it</h1>
      </header>
      {loaded.error && !found ? <Failure error={loaded.error} retry={loaded.reload} /> : !found ? <div class="pad"><Skeleton lines={8} height={18} /></div> : (
        <div class="overview one-column">
          <Panel title="Give somebody a level">
            <GrantForm thing={thing} people={others} change={change} />
          </Panel>
          <Panel title="People" count={special.length}>
            <table class="list plain people">
              <thead><tr><th>Name</th><th class="hide-small">Level</th><th>Comes from</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
              <tbody>
                {special.map((one) => <Line key={one.username} one={one} thing={thing} change={change} />)}
                <tr>
                  <td class="dim">Everybody else</td>
                  <td class="hide-small"><Level name={found.default} /></td>
                  <td class="wrap"><span class="granted"><span class="show-small"><Level name={found.default} /></span><span class="dim">the server’s default</span></span></td>
                  <td />
                </tr>
              </tbody>
            </table>
            <p class="hint pad-s">The highest level counts, wherever it comes from; DENY beats all of them.{thing.kind === "experiment" ? " It holds for the runs, logged models and files, too." : " It holds for all versions."}</p>
          </Panel>
        </div>
      )}
    </div>
  );
}

type Change = (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>) => void;

function Line({ one, thing, change }: { one: Access; thing: Thing; change: Change }) {
  const { username, own } = one;
  const give = (level: string) => change(() => access.grant(thing, username, level, false), `${username} has ${level} now.`, () => access.grant(thing, username, own!, false));
  const take = () => change(() => access.revoke(thing, username), `Taken from ${username}.`, () => access.grant(thing, username, own!, true));
  const isAdmin = who.value?.is_admin;
  return (
    <tr class={one.is_active ? "" : "inactive"}>
      <td class="main">
        <span class="person"><span class="avatar" aria-hidden="true">{[...username][0]!.toUpperCase()}</span><b>{username}</b>{username === who.value?.username && <span class="badge">you</span>}{!one.is_active && <span class="badge bad">disabled</span>}</span>
      </td>
      <td class="hide-small"><Level name={one.level} /></td>
      <td class="wrap">
        <span class="tag-list">
          {one.is_admin && <span class="dim">administrator</span>}
          {own !== null && !one.is_admin && <LevelChoice label={`Level of ${username}`} value={own} onChange={give} />}
          {!one.is_admin && one.through.map((from, at) => (
            <span class="granted" key={at}>
              <Level name={from.permission} />
              <span class="dim">{from.role === null ? (from.is_all ? "on all of them" : "") : <>role {isAdmin ? <a href={href(["roles", String(from.role_id)])}>{from.role}</a> : from.role}</>}</span>
            </span>
          ))}
        </span>
      </td>
      <td class="narrow">{own !== null && !one.is_admin && <Button kind="quiet" icon="close" label={`Take the level from ${username}`} onClick={take} />}</td>
    </tr>
  );
}

function GrantForm({ thing, people, change }: { thing: Thing; people: Access[]; change: Change }) {
  const [name, setName] = useState("");
  const [level, setLevel] = useState("READ");
  return (
    <form class="form-line" onSubmit={(event) => {
      event.preventDefault();
      if (!name) return;
      setName("");
      change(() => access.grant(thing, name, level, true), `${name} has ${level} now.`, () => access.revoke(thing, name));
    }}>
      <select aria-label="Who" value={name} onChange={(event) => setName(event.currentTarget.value)}>
        <option value="">{people.length ? "Choose somebody" : "Everybody has one"}</option>
        {people.map((one) => <option key={one.username} value={one.username}>{one.username}</option>)}
      </select>
      <LevelChoice told label="Level to give" value={level} onChange={setLevel} />
      <button type="submit" class="button primary" disabled={!name}>Give</button>
    </form>
  );
}
