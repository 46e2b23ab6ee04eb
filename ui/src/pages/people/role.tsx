// One role: what it gives, and who has it.

import { useEffect, useState } from "preact/hooks";
import { Button, Failure, Skeleton } from "../../widgets/parts.tsx";
import { Dialog, Menu } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { Panel } from "../../widgets/facts.tsx";
import { experiments } from "../../app/experiments.ts";
import { useLoad } from "../../app/load.ts";
import { AdministratorsOnly } from "../../app/only.tsx";
import { go, href, path } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import { roles, users, type Grant, type Person, type Role } from "../../data/users.ts";
import { GrantedOn, LevelChoice } from "./form.tsx";
import { RoleDialog } from "./roles.tsx";

export function RolePage() {
  return <AdministratorsOnly what="the roles"><OneRole /></AdministratorsOnly>;
}

function OneRole() {
  const id = Number(path.value[1]);
  const loaded = useLoad(`role ${id}`, () => roles.get(id));
  const people = useLoad("users", () => users.all());
  const [asking, setAsking] = useState<"change" | "remove" | null>(null);
  const role = loaded.stale ? undefined : loaded.data;
  const name = role?.name ?? "";
  useEffect(() => {
    document.title = `${name || "Role"} · Millstream`;
  }, [name]);
  const change = (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>) => void attempt(async () => {
    const reload = () => {
      loaded.reload();
      people.reload();
    };
    await work();
    setAsking(null);
    reload();
    say(done, undo ? { undo: async () => {
      await undo();
      reload();
    } } : {});
  });
  return (
    <div class="page">
      <header class="page-head">
        <nav class="crumbs" aria-label="Breadcrumb"><a href="#/users">People</a><Icon name="right" size={12} /><a href="#/roles">Roles</a><Icon name="right" size={12} /></nav>
        <h1>{name || "\u00a0"}</h1>
        {role && <Menu label="Actions" icon="more" kind="quiet" items={[
          { label: "Rename and describe", icon: "edit", run: () => setAsking("change") },
          null,
          { label: "Delete the role…", icon: "trash", danger: true, run: () => setAsking("remove") },
        ]} />}
      </header>
      {loaded.error && !role ? <Failure error={loaded.error} retry={loaded.reload} /> : !role || (!people.data && !people.error) ? <div class="pad"><Skeleton lines={8} /></div> : (
        <div class="overview">
          <div class="overview-main">
            {role.description && <p class="role-about">{role.description}</p>}
            <Gives role={role} change={change} />
          </div>
          <aside class="overview-side"><Members role={role} people={people.data} change={change} /></aside>
        </div>
      )}
      {asking === "change" && role && (
        <RoleDialog title="Rename and describe" action="Save" name={role.name} description={role.description ?? ""} onClose={() => setAsking(null)}
          onDone={(next, description) => change(() => roles.update(id, next, description), "Saved.", () => roles.update(id, role.name, role.description ?? ""))} />
      )}
      {asking === "remove" && role && (
        <Dialog title={`Delete the role ${role.name}?`} onClose={() => setAsking(null)} actions={
          <>
            <Button onClick={() => setAsking(null)}>Cancel</Button>
            <Button kind="danger" onClick={() => void attempt(async () => {
              await roles.remove(id);
              go(href(["roles"]));
              say(`The role ${role.name} is gone.`);
            })}>Delete</Button>
          </>
        }>
          <p>Its members keep what they have from elsewhere. This cannot be undone.</p>
        </Dialog>
      )}
    </div>
  );
}

type Change = (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>) => void;

const KINDS = [["experiment", "an experiment"], ["registered_model", "a registered model"], ["run", "runs"], ["logged_model", "logged models"]] as const;

function Gives({ role, change }: { role: Role; change: Change }) {
  const again = (one: Grant) => () => roles.grant(role.id, one.resource_type, one.resource_pattern, one.permission);
  return (
    <Panel title="What it gives" count={role.permissions.length}>
      {role.permissions.length > 0 ? (
        <table class="list plain">
          <thead><tr><th>On</th><th>Level</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
          <tbody>
            {role.permissions.map((one) => (
              <tr key={one.id}>
                <td class="wrap"><GrantedOn kind={one.resource_type} pattern={one.resource_pattern} /></td>
                <td><LevelChoice label="Level" value={one.permission} onChange={(level) => change(() => roles.change(one.id, level), `It is ${level} now.`, () => roles.change(one.id, one.permission))} /></td>
                <td class="narrow"><Button kind="quiet" icon="trash" label="Take this from the role" onClick={() => change(() => roles.revoke(one.id), "Taken from the role.", again(one))} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : <p class="hint pad-s">Nothing yet: its members may do what they may without it.</p>}
      <NewGrant role={role} change={change} />
    </Panel>
  );
}

function NewGrant({ role, change }: { role: Role; change: Change }) {
  const [kind, setKind] = useState<string>("experiment");
  const [pattern, setPattern] = useState("*");
  const [level, setLevel] = useState("READ");
  const models = useLoad(kind === "registered_model" ? "all models" : null, (signal) => source.registeredModels("", signal)).data ?? [];
  const things = kind === "experiment" ? (experiments.value ?? []).filter((one) => one.stage === "active").map((one) => [one.id, one.name] as const)
    : kind === "registered_model" ? models.map((one) => [one.name, one.name] as const) : [];
  const taken = role.permissions.some((one) => one.resource_type === kind && one.resource_pattern === pattern);
  return (
    <form class="form-line" onSubmit={(event) => {
      event.preventDefault();
      if (!taken) change(() => roles.grant(role.id, kind, pattern, level), `The role gives ${level} now.`);
    }}>
      <LevelChoice told label="Level to give" value={level} onChange={setLevel} />
      <span class="dim">on</span>
      <select aria-label="Kind of thing" value={kind} onChange={(event) => {
        setKind(event.currentTarget.value);
        setPattern("*");
      }}>
        {KINDS.map(([id, text]) => <option key={id} value={id}>{text}</option>)}
      </select>
      <select aria-label="Which" value={pattern} onChange={(event) => setPattern(event.currentTarget.value)}>
        <option value="*">all of them</option>
        {things.map(([id, text]) => <option key={id} value={id}>{text}</option>)}
      </select>
      <button type="submit" class="button primary" disabled={taken} title={taken ? "The role gives something on this already: change its level." : undefined}>Give</button>
    </form>
  );
}

function Members({ role, people, change }: { role: Role; people: Person[] | undefined; change: Change }) {
  const has = (people ?? []).filter((one) => one.roles.some((mine) => mine.id === role.id));
  const others = (people ?? []).filter((one) => !has.includes(one));
  const [name, setName] = useState("");
  const add = (username: string) => {
    setName("");
    change(() => roles.assign(username, role.id), `${username} has this role.`, () => roles.unassign(username, role.id));
  };
  return (
    <Panel title="Members" count={has.length}>
      <ul class="plain-list members">
        {has.map((one) => (
          <li key={one.id}>
            <span class="avatar" aria-hidden="true">{[...one.username][0]!.toUpperCase()}</span>
            <span class="clip">{one.username}</span>
            <span class="spring" />
            <Button kind="quiet" icon="close" label={`Take the role from ${one.username}`} onClick={() => change(() => roles.unassign(one.username, role.id), `${one.username} has it no longer.`, () => roles.assign(one.username, role.id))} />
          </li>
        ))}
        {people && !has.length && <li class="hint">Nobody yet.</li>}
      </ul>
      <form class="form-line" onSubmit={(event) => {
        event.preventDefault();
        if (name) add(name);
      }}>
        <select aria-label="Who gets the role" value={name} onChange={(event) => setName(event.currentTarget.value)}>
          <option value="">{others.length ? "Choose somebody" : "Everybody has it"}</option>
          {others.map((one) => <option key={one.id} value={one.username}>{one.username}</option>)}
        </select>
        <button type="submit" class="button" disabled={!name}>Add</button>
      </form>
    </Panel>
  );
}
