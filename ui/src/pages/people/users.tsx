// The people of the server, for administrators: who there are, their roles, who may sign in.

import { useEffect, useState } from "preact/hooks";
import { Button, Empty, Failure, Field, Skeleton } from "../../widgets/parts.tsx";
import { Dialog, Menu, type Item } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { who } from "../../app/account.tsx";
import { useLoad } from "../../app/load.ts";
import { AdministratorsOnly } from "../../app/only.tsx";
import { go, href, patch, query } from "../../app/router.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { isShared, roles, users, type Person, type Role } from "../../data/users.ts";
import { count } from "../../lib/format.ts";
import { Entry, PeopleTabs } from "./form.tsx";
import { GrantsDialog } from "./grants.tsx";

export const SHORTEST = 12;
const OWN = "Another administrator can do this to your account.";

type Asking = { about: "new" } | { about: "password" | "remove" | "grants"; person: Person };

export function UsersPage() {
  return <AdministratorsOnly what="who there is"><People /></AdministratorsOnly>;
}

function People() {
  const loaded = useLoad("users", () => users.all());
  const known = useLoad("roles", () => roles.all());
  const shared = known.data ?? [];
  const [asking, setAsking] = useState<Asking | null>(null);
  useEffect(() => {
    document.title = "People · Millstream";
  }, []);
  const change = (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>) => void attempt(async () => {
    await work();
    setAsking(null);
    loaded.reload();
    say(done, undo ? { undo: async () => {
      await undo();
      loaded.reload();
    } } : {});
  });
  const all = known.data || known.error ? loaded.data : undefined;
  const find = (query.value["q"] ?? "").toLowerCase();
  const found = (all ?? []).filter((one) => !find || one.username.toLowerCase().includes(find) || one.roles.some((role) => isShared(role) && role.name.toLowerCase().includes(find)));
  const person = asking && asking.about !== "new" ? asking.person : null;
  const close = () => setAsking(null);
  return (
    <div class="page list-page">
      <header class="page-head">
        <h1>People</h1>
        {all && <span class="dim" role="status">{count(all.length, "user")}</span>}
        <span class="spring" />
        {all && all.length > 8 && <Field label="Find people" icon="search" value={query.value["q"] ?? ""} onInput={(event) => patch({ q: event.currentTarget.value || undefined })} />}
        <Button kind="primary" icon="plus" onClick={() => setAsking({ about: "new" })}>New user…</Button>
      </header>
      <PeopleTabs on="users" />
      {loaded.error && !all ? <Failure error={loaded.error} retry={loaded.reload} />
        : !all ? <div class="pad"><Skeleton lines={6} height={18} /></div>
        : !found.length ? <Empty icon="users" title="Nobody has this name"><Button onClick={() => patch({ q: undefined })}>Show all</Button></Empty>
        : (
          <div class="table-scroll">
            <table class="list people">
              <thead><tr><th>Name</th><th>Roles</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
              <tbody>{found.map((one) => <Line key={one.id} one={one} shared={shared} change={change} onAsk={(about) => setAsking({ about, person: one })} />)}</tbody>
            </table>
          </div>
        )}
      {asking?.about === "new" && <NewUser onClose={close} onDone={(name, password) => change(() => users.create(name, password), `${name} may sign in.`)} />}
      {asking?.about === "password" && <NewPassword of={person!} onClose={close} onDone={(password) => change(() => users.setPassword(person!.username, password), `${person!.username} has a new password.`)} />}
      {asking?.about === "grants" && <GrantsDialog person={found.find((one) => one.id === person!.id) ?? person!} onClose={close} onChange={loaded.reload} />}
      {asking?.about === "remove" && (
        <Dialog
          title={`Remove ${person!.username}?`} onClose={close}
          actions={
            <>
              <Button onClick={close}>Cancel</Button>
              <Button kind="danger" onClick={() => change(() => users.remove(person!.username), `${person!.username} is gone.`)}>Remove</Button>
            </>
          }
        >
          <p>Their sessions and tokens end at once, and what they were granted is forgotten. What they made stays.</p>
          <p class="hint">To keep somebody out for a while, disable them.</p>
        </Dialog>
      )}
    </div>
  );
}

type Change = (work: () => Promise<unknown>, done: string, undo?: () => Promise<unknown>) => void;

function Line({ one, shared, change, onAsk }: { one: Person; shared: Role[]; change: Change; onAsk: (about: "password" | "remove" | "grants") => void }) {
  const { username } = one;
  const own = username === who.value?.username;
  const mine = one.roles.filter(isShared);
  const others = shared.filter((role) => !mine.some((has) => has.id === role.id));
  const grants = one.roles.filter((role) => !isShared(role)).reduce((sum, role) => sum + role.permissions.length, 0);
  const assign = (role: Role) => change(() => roles.assign(username, role.id), `${username} has the role ${role.name}.`, () => roles.unassign(username, role.id));
  const unassign = (role: Role) => change(() => roles.unassign(username, role.id), `${username} has the role ${role.name} no longer.`, () => roles.assign(username, role.id));
  const items: (Item | null)[] = [
    { label: "What they were granted", icon: "info", run: () => onAsk("grants") },
    own ? { label: "Your account", icon: "user", run: () => go(href(["account"])) } : { label: "New password…", icon: "edit", run: () => onAsk("password") },
    null,
    {
      label: one.is_admin ? "Administrator no longer" : "Make an administrator", icon: "up", why: own ? OWN : undefined,
      run: () => change(() => users.setAdmin(username, !one.is_admin), `${username} is ${one.is_admin ? "no longer " : ""}an administrator.`, () => users.setAdmin(username, one.is_admin)),
    },
    one.is_active
      ? { label: "Disable", icon: "hidden", why: own ? OWN : undefined, run: () => change(() => users.setActive(username, false), `${username} cannot sign in for now.`, () => users.setActive(username, true)) }
      : { label: "Enable", icon: "eye", run: () => change(() => users.setActive(username, true), `${username} may sign in again.`) },
    { label: "Remove…", icon: "trash", danger: true, why: own ? OWN : undefined, run: () => onAsk("remove") },
  ];
  return (
    <tr class={one.is_active ? "" : "inactive"}>
      <td class="main">
        <span class="person"><span class="avatar" aria-hidden="true">{[...username][0]!.toUpperCase()}</span><b>{username}</b>{own && <span class="badge">you</span>}{one.is_admin && <span class="chip running">administrator</span>}{!one.is_active && <span class="badge bad">disabled</span>}</span>
      </td>
      <td>
        <span class="tag-list">
          {mine.map((role) => (
            <span class="tag" key={role.id}>
              <a href={href(["roles", String(role.id)])}>{role.name}</a>
              <button type="button" aria-label={`Take the role ${role.name} from ${username}`} onClick={() => unassign(role)}><Icon name="close" size={12} /></button>
            </span>
          ))}
          {others.length > 0 && <Menu label={`Give ${username} a role`} icon="plus" kind="quiet" items={others.map((role) => ({ label: role.name, run: () => assign(role) }))} />}
          {grants > 0 && <button type="button" class="link small" onClick={() => onAsk("grants")}>{count(grants, "own grant")}</button>}
        </span>
      </td>
      <td class="narrow"><Menu label={`Actions for ${username}`} icon="more" kind="quiet" items={items} /></td>
    </tr>
  );
}

function NewUser({ onClose, onDone }: { onClose: () => void; onDone: (name: string, password: string) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const ready = name.trim() !== "" && password.length >= SHORTEST;
  const done = () => ready && onDone(name.trim(), password);
  return (
    <Dialog
      title="A new user" onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" disabled={!ready} onClick={done}>Make the user</Button>
        </>
      }
    >
      <Entry label="Name" data-first value={name} onInput={(event) => setName(event.currentTarget.value)} onEnter={done} />
      <Entry label={`Password, ${SHORTEST} characters at least`} type="password" autocomplete="new-password" value={password} onInput={(event) => setPassword(event.currentTarget.value)} onEnter={done} />
      <p class="hint">They can change it on their account page.</p>
    </Dialog>
  );
}

function NewPassword({ of, onClose, onDone }: { of: Person; onClose: () => void; onDone: (password: string) => void }) {
  const [password, setPassword] = useState("");
  const ready = password.length >= SHORTEST;
  const done = () => ready && onDone(password);
  return (
    <Dialog
      title={`A new password for ${of.username}`} onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" disabled={!ready} onClick={done}>Change it</Button>
        </>
      }
    >
      <Entry label={`Password, ${SHORTEST} characters at least`} data-first type="password" autocomplete="new-password" value={password} onInput={(event) => setPassword(event.currentTarget.value)} onEnter={done} />
      <p class="hint">Their sessions and tokens end at once.</p>
    </Dialog>
  );
}
