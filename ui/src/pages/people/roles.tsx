// The roles of the server, for administrators: sets of permissions under a name.

import { useEffect, useState } from "preact/hooks";
import { Button, Empty, Failure, Skeleton } from "../../widgets/parts.tsx";
import { Dialog } from "../../widgets/overlay.tsx";
import { useLoad } from "../../app/load.ts";
import { AdministratorsOnly } from "../../app/only.tsx";
import { go, href } from "../../app/router.ts";
import { attempt } from "../../app/toasts.tsx";
import { roles, users } from "../../data/users.ts";
import { count } from "../../lib/format.ts";
import { Entry, GrantedOn, Level, PeopleTabs } from "./form.tsx";

const SHOWN = 3;

export function RolesPage() {
  return <AdministratorsOnly what="the roles"><Roles /></AdministratorsOnly>;
}

function Roles() {
  const loaded = useLoad("roles", () => roles.all());
  const people = useLoad("users", () => users.all()).data;
  const [making, setMaking] = useState(false);
  useEffect(() => {
    document.title = "Roles · Millstream";
  }, []);
  const all = loaded.data;
  const members = (id: number) => people?.filter((one) => one.roles.some((role) => role.id === id));
  return (
    <div class="page list-page">
      <header class="page-head">
        <h1>Roles</h1>
        {all && <span class="dim" role="status">{count(all.length, "role")}</span>}
        <span class="spring" />
        <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>New role…</Button>
      </header>
      <PeopleTabs on="roles" />
      {loaded.error && !all ? <Failure error={loaded.error} retry={loaded.reload} />
        : !all ? <div class="pad"><Skeleton lines={6} height={18} /></div>
        : !all.length ? (
          <Empty icon="users" title="No roles yet">
            <p>A role gives the same permissions to several people: make one, say what it gives, and add its members.</p>
          </Empty>
        ) : (
          <div class="table-scroll">
            <table class="list">
              <thead><tr><th>Name</th><th>Gives</th><th class="hide-small">Members</th></tr></thead>
              <tbody>
                {all.map((one) => {
                  const has = members(one.id);
                  return (
                    <tr key={one.id}>
                      <td class="main"><a href={href(["roles", String(one.id)])}>{one.name}</a>{one.description && <p class="sub">{one.description}</p>}</td>
                      <td class="wrap">
                        <span class="tag-list">
                          {one.permissions.slice(0, SHOWN).map((grant) => <span class="granted" key={grant.id}><Level name={grant.permission} /><GrantedOn kind={grant.resource_type} pattern={grant.resource_pattern} /></span>)}
                          {one.permissions.length > SHOWN && <span class="dim">{`and ${one.permissions.length - SHOWN} more`}</span>}
                          {!one.permissions.length && <span class="dim">nothing yet</span>}
                        </span>
                      </td>
                      <td class="hide-small">{has && (has.length ? <span title={has.map((person) => person.username).join(", ")}>{has.length}</span> : <span class="dim">nobody</span>)}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      {making && (
        <RoleDialog title="A new role" action="Make the role" onClose={() => setMaking(false)} onDone={(name, description) => void attempt(async () => {
          const made = await roles.create(name, description);
          go(href(["roles", String(made.id)]));
        })} />
      )}
    </div>
  );
}

export function RoleDialog({ title, action, name: before = "", description: about = "", onClose, onDone }: {
  title: string;
  action: string;
  name?: string;
  description?: string;
  onClose: () => void;
  onDone: (name: string, description: string) => void;
}) {
  const [name, setName] = useState(before);
  const [description, setDescription] = useState(about);
  const done = () => name.trim() && onDone(name.trim(), description.trim());
  return (
    <Dialog title={title} onClose={onClose} actions={<><Button onClick={onClose}>Cancel</Button><Button kind="primary" disabled={!name.trim()} onClick={done}>{action}</Button></>}>
      <Entry label="Name of the role" data-first value={name} placeholder="vision team" onInput={(event) => setName(event.currentTarget.value)} onEnter={done} />
      <Entry label="What it is for" value={description} onInput={(event) => setDescription(event.currentTarget.value)} onEnter={done} />
    </Dialog>
  );
}
