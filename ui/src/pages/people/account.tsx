// The reader's own account: password, tokens, and what they may do.

import { useEffect, useState } from "preact/hooks";
import { Button, CopyButton, Empty, Failure, Skeleton, Time } from "../../widgets/parts.tsx";
import { Dialog } from "../../widgets/overlay.tsx";
import { Facts, Panel } from "../../widgets/facts.tsx";
import { who } from "../../app/account.tsx";
import { useLoad } from "../../app/load.ts";
import { attempt, say } from "../../app/toasts.tsx";
import { isShared, tokens, users, type Own, type Token } from "../../data/users.ts";
import { date } from "../../lib/format.ts";
import { Entry, GrantedOn, Level } from "./form.tsx";
import { SHORTEST } from "./users.tsx";

const SCOPES = [["read", "Read", "see what you may see"], ["edit", "Edit", "log and change what you may change"], ["manage", "Manage", "everything that you may do"]] as const;
const ENDS = [["30", "30 days"], ["90", "90 days"], ["365", "a year"], ["", "no end"]] as const;

export function AccountPage() {
  useEffect(() => {
    document.title = "Your account · Millstream";
  }, []);
  // Shown together: what comes later would push the rest down.
  const loaded = useLoad(who.value ? "account" : null, async () => {
    const [own, mine] = await Promise.all([tokens.all(), users.own()]);
    return { tokens: own, own: mine };
  });
  if (who.value === undefined) return <div class="page pad"><Skeleton lines={8} height={18} /></div>;
  if (who.value === null) return <Empty icon="user" title="This server has no users">Everybody who reaches it may do everything.</Empty>;
  const { username, is_admin, has_password } = who.value;
  return (
    <div class="page">
      <header class="page-head">
        <h1>Your account</h1>
      </header>
      {loaded.error && !loaded.data ? <Failure error={loaded.error} retry={loaded.reload} /> : !loaded.data ? <div class="pad"><Skeleton lines={8} height={18} /></div> : (
        <div class="overview">
          <div class="overview-main">
            <Tokens all={loaded.data.tokens} reload={loaded.reload} />
            <Granted all={loaded.data.own.permissions} isAdmin={is_admin} />
          </div>
          <aside class="overview-side">
            <Panel title="You"><Facts rows={[["Name", <b>{username}</b>], ["Administrator", is_admin ? "yes" : "no"]]} /></Panel>
            {has_password === false ? <Panel title="Password"><p class="hint pad-s">You sign in by your provider and have no password here. Programs of yours sign in with a token.</p></Panel> : <Password username={username} />}
          </aside>
        </div>
      )}
    </div>
  );
}

function Tokens({ all, reload }: { all: Token[]; reload: () => void }) {
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const now = Date.now();
  return (
    <Panel title="Tokens" count={all.length} actions={<Button icon="plus" onClick={() => setMaking(true)}>New token…</Button>}>
      {!all.length ? (
        <p class="hint pad-s">None yet. Programs sign in with a token instead of your password: they read it from <code>MLFLOW_TRACKING_TOKEN</code>.</p>
      ) : (
        <table class="list plain">
          <thead><tr><th>Name</th><th>Allows</th><th class="hide-small">Made</th><th>Ends</th><th class="narrow"><span class="sr">Actions</span></th></tr></thead>
          <tbody>
            {all.map((one) => (
              <tr key={one.id}>
                <td class="wrap"><b>{one.name}</b></td>
                <td>{one.scope}</td>
                <td class="hide-small"><Time value={one.created} /></td>
                <td>{one.expires === null ? <span class="dim">never</span> : one.expires <= now ? <span class="badge bad">ended</span> : <span title={date(one.expires)}>{date(one.expires).slice(0, 10)}</span>}</td>
                <td class="narrow"><Button kind="quiet" icon="trash" label={`Revoke ${one.name}`} onClick={() => setRevoking(one)} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {making && <NewToken onClose={() => setMaking(false)} onMade={reload} />}
      {revoking && (
        <Dialog title={`Revoke ${revoking.name}?`} onClose={() => setRevoking(null)} actions={
          <>
            <Button onClick={() => setRevoking(null)}>Cancel</Button>
            <Button kind="danger" onClick={() => void attempt(async () => {
              await tokens.revoke(revoking.id);
              setRevoking(null);
              reload();
              say(`${revoking.name} opens nothing any more.`);
            })}>Revoke</Button>
          </>
        }>
          <p>Programs that use it are refused from now on.</p>
        </Dialog>
      )}
    </Panel>
  );
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [name, setName] = useState("");
  const [scope, setScope] = useState("edit");
  const [days, setDays] = useState("90");
  const [made, setMade] = useState<string | null>(null);
  const make = () => name.trim() && void attempt(async () => {
    setMade(await tokens.create(name.trim(), scope, days ? Number(days) : null));
    onMade();
  });
  if (made !== null) {
    return (
      <Dialog title={`The token ${name.trim()}`} onClose={onClose} actions={<Button kind="primary" onClick={onClose}>I have copied it</Button>}>
        <p>Copy it now: it is not shown again.</p>
        <div class="secret"><code tabIndex={0}>{made}</code><CopyButton text={made} label="Copy the token">Copy</CopyButton></div>
        <p class="hint">For a program: <code>export MLFLOW_TRACKING_TOKEN=…</code></p>
      </Dialog>
    );
  }
  return (
    <Dialog title="A new token" onClose={onClose} actions={<><Button onClick={onClose}>Cancel</Button><Button kind="primary" disabled={!name.trim()} onClick={make}>Make the token</Button></>}>
      <Entry label="What it is for" data-first placeholder="laptop" value={name} onInput={(event) => setName(event.currentTarget.value)} onEnter={make} />
      <fieldset class="radios">
        <legend>It allows to</legend>
        {SCOPES.map(([id, text, means]) => (
          <label key={id}>
            <input type="radio" name="scope" value={id} checked={scope === id} onChange={() => setScope(id)} />
            <span><b>{text}</b> <span class="dim">{means}</span></span>
          </label>
        ))}
      </fieldset>
      <label class="stacked">
        <span>It ends after</span>
        <select value={days} onChange={(event) => setDays(event.currentTarget.value)}>{ENDS.map(([id, text]) => <option key={id} value={id}>{text}</option>)}</select>
      </label>
    </Dialog>
  );
}

function Granted({ all, isAdmin }: { all: Own["permissions"]; isAdmin: boolean }) {
  return (
    <Panel title="What you were granted">
      {isAdmin && <p class="hint pad-s">You are an administrator: you may do everything.</p>}
      {!isAdmin && !all.length && <p class="hint pad-s">Nothing by name: you may do what everybody may. What you make is yours to manage.</p>}
      {all.length > 0 && (
        <table class="list plain">
          <thead><tr><th>Level</th><th>On</th><th class="hide-small">Through</th></tr></thead>
          <tbody>
            {all.map((one) => (
              <tr key={`${one.role_id} ${one.resource_type} ${one.resource_pattern}`}>
                <td><Level name={one.permission} /></td>
                <td class="wrap"><GrantedOn kind={one.resource_type} pattern={one.resource_pattern} /></td>
                <td class="hide-small">{isShared({ name: one.role_name }) ? `role ${one.role_name}` : <span class="dim">you alone</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function Password({ username }: { username: string }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const trouble = next && next.length < SHORTEST ? `${SHORTEST} characters at least.` : again && next !== again ? "The two are not the same." : null;
  const ready = current !== "" && next.length >= SHORTEST && next === again;
  return (
    <Panel title="Password">
      <form class="stack" onSubmit={(event) => {
        event.preventDefault();
        if (!ready) return;
        void attempt(async () => {
          await users.setPassword(username, next, current);
          // Every session has ended, this one too: the next page is the one to sign in.
          location.reload();
        });
      }}>
        <input type="text" name="username" value={username} autocomplete="username" hidden readOnly />
        <Entry label="Present password" type="password" autocomplete="current-password" value={current} onInput={(event) => setCurrent(event.currentTarget.value)} />
        <Entry label={`New password, ${SHORTEST} characters at least`} type="password" autocomplete="new-password" value={next} onInput={(event) => setNext(event.currentTarget.value)} />
        <Entry label="The new one again" type="password" autocomplete="new-password" value={again} onInput={(event) => setAgain(event.currentTarget.value)} />
        {trouble && <p class="note warn" role="status">{trouble}</p>}
        <div><button type="submit" class="button primary" disabled={!ready}>Change the password</button></div>
        <p class="hint">You sign in again afterwards, everywhere. Your tokens end, too.</p>
      </form>
    </Panel>
  );
}
