// The users of the server, for administrators: who there are, new ones, new passwords.

import { useEffect, useState } from "preact/hooks";
import { Button, Failure, Field, Skeleton } from "../widgets/parts.tsx";
import { Dialog } from "../widgets/overlay.tsx";
import { who } from "../app/account.tsx";
import { useLoad } from "../app/load.ts";
import { attempt, say } from "../app/toasts.tsx";
import { users, type User } from "../data/users.ts";
import { count } from "../lib/format.ts";

const SHORTEST = 12;

export function UsersPage() {
  const loaded = useLoad("users", () => users.all());
  const [asking, setAsking] = useState<User | "new" | null>(null);
  const [removing, setRemoving] = useState<User | null>(null);
  useEffect(() => {
    document.title = "Users · Millstream";
  }, []);
  const change = (work: () => Promise<unknown>, done: string) => void attempt(async () => {
    await work();
    setAsking(null);
    setRemoving(null);
    loaded.reload();
    say(done);
  });
  return (
    <div class="page list-page">
      <header class="page-head">
        <h1>Users</h1>
        {loaded.data && <span class="dim" role="status">{count(loaded.data.length, "user")}</span>}
        <span class="spring" />
        <Button kind="primary" icon="plus" onClick={() => setAsking("new")}>New user…</Button>
      </header>
      {loaded.error && !loaded.data ? <Failure error={loaded.error} retry={loaded.reload} />
        : !loaded.data ? <div class="pad"><Skeleton lines={6} height={18} /></div>
        : (
          <div class="table-scroll">
            <table class="list">
              <thead><tr><th>Name</th><th>Administrator</th><th><span class="sr">Changes</span></th></tr></thead>
              <tbody>
                {loaded.data.map((one) => (
                  <tr key={one.id}>
                    <td class="main">{one.username}</td>
                    <td>
                      <input
                        type="checkbox" aria-label={`${one.username} is an administrator`} checked={one.is_admin}
                        disabled={one.username === who.value?.username}
                        onChange={() => change(() => users.setAdmin(one.username, !one.is_admin), `${one.username} is ${one.is_admin ? "no longer " : ""}an administrator.`)}
                      />
                    </td>
                    <td>
                      <Button kind="quiet" onClick={() => setAsking(one)}>New password…</Button>
                      {one.username !== who.value?.username && <Button kind="quiet" icon="trash" label={`Remove ${one.username}`} onClick={() => setRemoving(one)} />}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      {asking && (
        <PasswordDialog
          of={asking === "new" ? null : asking} onClose={() => setAsking(null)}
          onDone={(name, password, current) => change(
            () => (asking === "new" ? users.create(name, password) : users.setPassword(name, password, current)),
            asking === "new" ? `${name} may sign in.` : `${name} has a new password.`,
          )}
        />
      )}
      {removing && (
        <Dialog
          title={`Remove ${removing.username}?`} onClose={() => setRemoving(null)}
          actions={
            <>
              <Button onClick={() => setRemoving(null)}>Cancel</Button>
              <Button kind="danger" onClick={() => change(() => users.remove(removing.username), `${removing.username} is gone.`)}>Remove</Button>
            </>
          }
        >
          <p>Their sessions and tokens end at once. What they made stays.</p>
        </Dialog>
      )}
    </div>
  );
}

function PasswordDialog({ of, onClose, onDone }: { of: User | null; onClose: () => void; onDone: (name: string, password: string, current?: string) => void }) {
  const [name, setName] = useState(of?.username ?? "");
  const [password, setPassword] = useState("");
  const [current, setCurrent] = useState("");
  const own = of !== null && of.username === who.value?.username;
  const ready = name.trim() !== "" && password.length >= SHORTEST && (!own || current !== "");
  return (
    <Dialog
      title={of ? `A new password for ${of.username}` : "A new user"} onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" disabled={!ready} onClick={() => onDone(name, password, own ? current : undefined)}>{of ? "Change it" : "Make the user"}</Button>
        </>
      }
    >
      {!of && <Field label="Name" value={name} autoComplete="off" onInput={(event) => setName(event.currentTarget.value)} />}
      {own && <Field label="Present password" type="password" value={current} autoComplete="current-password" onInput={(event) => setCurrent(event.currentTarget.value)} />}
      <Field label={`Password, ${SHORTEST} characters at least`} type="password" value={password} autoComplete="new-password" onInput={(event) => setPassword(event.currentTarget.value)} />
    </Dialog>
  );
}
