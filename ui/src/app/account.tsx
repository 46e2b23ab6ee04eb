// Who looks at these pages, where the server has users: their name, and the way out.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Button } from "../widgets/parts.tsx";
import { copy } from "../data/index.ts";
import { csrfWord } from "../data/csrf.ts";
import { users, type User } from "../data/users.ts";
import { send } from "../data/server.ts";

/** The user who is signed in; null on servers without users, and until it is known. */
export const who = signal<User | null>(null);

/** Whether what only administrators may do is offered. */
export function mayAdminister(): boolean {
  return who.value === null || who.value.is_admin;
}

async function signOut(): Promise<void> {
  await send("logout", { method: "POST", redirect: "manual" }).catch(() => undefined);
  location.reload();
}

export function Account() {
  useEffect(() => {
    // Only a browser that signed in has the word: servers without users are not asked.
    if (!copy && csrfWord(document.cookie)) users.current().then((user) => (who.value = user), () => undefined);
  }, []);
  if (!who.value) return null;
  return (
    <div class="side-foot">
      {who.value.is_admin ? <a href="#/users">{who.value.username}</a> : <span class="dim">{who.value.username}</span>}
      <span class="spring" />
      <Button kind="quiet" onClick={() => void signOut()}>Sign out</Button>
    </div>
  );
}
