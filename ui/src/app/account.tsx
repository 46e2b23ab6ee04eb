// Who looks at these pages, where the server has users: their name, and the way out.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Button } from "../widgets/parts.tsx";
import { Icon } from "../widgets/icon.tsx";
import { copy } from "../data/index.ts";
import { csrfWord } from "../data/csrf.ts";
import { users, type User } from "../data/users.ts";
import { send } from "../data/server.ts";
import { path } from "./router.ts";

// Only a browser that signed in has the word: servers without users are not asked.
const signedIn = !copy && csrfWord(document.cookie) !== null;

/** The user who is signed in; null on servers without users, undefined until it is known. */
export const who = signal<User | null | undefined>(signedIn ? undefined : null);

/** Whether what only administrators may do is offered. */
export function mayAdminister(): boolean {
  return who.value === null || who.value?.is_admin === true;
}

async function signOut(): Promise<void> {
  await send("logout", { method: "POST", redirect: "manual" }).catch(() => undefined);
  // Who signs in next begins at the start, not where somebody else was.
  history.replaceState(null, "", location.pathname + location.search);
  location.reload();
}

export function Account({ onGo }: { onGo: () => void }) {
  useEffect(() => {
    // A word that another server of this host gave says nothing here: this one is without users.
    if (signedIn) users.current().then((user) => (who.value = user), (error: { status?: number }) => (who.value = error.status === 404 ? null : undefined));
  }, []);
  if (!who.value) return null;
  return (
    <div class="side-foot side-who">
      <a class={`side-link ${path.value[0] === "account" ? "on" : ""}`} href="#/account" title="Your account" onClick={onGo}><Icon name="user" /><span>{who.value.username}</span></a>
      <Button kind="quiet" onClick={() => void signOut()}>Sign out</Button>
    </div>
  );
}
