// What a signed-in browser gives back with each change: pages of other sites cannot read it.

const COOKIE = /(?:^|; )(?:__Host-)?millstream-csrf=([0-9a-f]+)/;

/** The word that the server gave this browser with its session; null where nobody signed in. */
export function csrfWord(cookies: string): string | null {
  return COOKIE.exec(cookies)?.[1] ?? null;
}
