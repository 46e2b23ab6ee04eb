// Loading that keeps what is shown until the new is there, follows changes, and rests in hidden tabs.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { writes } from "../data/index.ts";

export interface Loaded<T> {
  data: T | undefined;
  error: Error | undefined;
  /** Whether what is shown belongs to an earlier question. */
  stale: boolean;
  reload: () => void;
}

/** How many times as long as an answer took nothing is asked. */
export const REST = 15;
/** Who looks again sooner than this (ms) waits for something to be complete, and does so for a while only. */
const HURRY = 1_000;

export const visible = signal(!document.hidden);
/** False while the server does not answer. */
export const online = signal(true);

document.addEventListener("visibilitychange", () => {
  visible.value = !document.hidden;
});

/**
 * Loads something, again whenever `name` changes, and every `every` ms while the tab is visible.
 *
 * @param name what is loaded; null loads nothing.
 * @param load does it; it must give up when the signal says so.
 * @param every how often to look again, ms; 0 is never.
 */
export function useLoad<T>(name: string | null, load: (signal: AbortSignal) => Promise<T>, every = 0): Loaded<T> {
  const [state, setState] = useState<{ name: string | null; data?: T; error?: Error }>({ name: null });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const shown = visible.value;
  const changes = writes.value;
  useEffect(() => {
    if (name === null || (!shown && state.name === name)) return;
    const abort = new AbortController();
    let timer = 0;
    let failures = 0;
    const once = async () => {
      const began = performance.now();
      try {
        const data = await latest.current(abort.signal);
        if (abort.signal.aborted) return;
        failures = 0;
        online.value = true;
        setState((before) => (before.name === name && before.data === data && !before.error ? before : { name, data }));
      } catch (error) {
        if (abort.signal.aborted) return;
        failures += 1;
        const told = error instanceof Error ? error : new Error(String(error));
        if ((told as { code?: string }).code === "OFFLINE") online.value = false;
        // What was there stays on screen: an outage must not empty the page.
        setState((before) => ({ ...(before.name === name && before.data !== undefined ? { data: before.data } : {}), name, error: told }));
      }
      // What takes long is asked for less often: a page is a small part of what a server does.
      const wait = failures ? Math.min(15_000, 1_000 * 2 ** failures) : Math.min(60_000, Math.max(every, (performance.now() - began) * (every < HURRY ? 2 : REST)));
      if (wait && !abort.signal.aborted && (every || failures && !online.value)) timer = setTimeout(() => void once(), wait) as unknown as number;
    };
    void once();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [name, turn, every, shown, changes]);
  return {
    data: state.data,
    error: state.name === name ? state.error : undefined,
    stale: state.name !== name,
    reload: () => setTurn((before) => before + 1),
  };
}
