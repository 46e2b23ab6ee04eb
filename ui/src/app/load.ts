// Loading that keeps what is shown until the new is there, follows changes, and rests in hidden tabs.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { source, writes } from "../data/index.ts";

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

/** While the server tells of changes, nobody asks more often than this (ms) by himself. */
const CALM = 10_000;

export const visible = signal(!document.hidden);
/** False while the server does not answer. */
export const online = signal(true);
/** Whether the server tells of changes; and how often it has. */
const told = signal(false);
const changes = signal(0);

document.addEventListener("visibilitychange", () => {
  visible.value = !document.hidden;
});

/** Has the server tell of changes in some experiments while the page is shown and seen. */
export function useChanges(experiments: readonly string[]): void {
  const name = [...new Set(experiments)].sort().join(",");
  const shown = visible.value;
  useEffect(() => {
    if (!name || !shown) return;
    const stop = source.watch(name.split(","), (news) => {
      told.value = news !== "silent";
      if (news === "changed") changes.value += 1;
    });
    return () => {
      stop();
      told.value = false;
    };
  }, [name, shown]);
}

/**
 * Does something again and again: after a while, and sooner when the server says that something has changed.
 *
 * @param work does it; it never fails.
 * @param pause how long to wait when it is done, given how long it took, ms; Infinity ends it.
 * @param rest how many times as long as it took nothing is asked, however much changes.
 * @returns stops it.
 */
export function again(work: () => Promise<void>, pause: (took: number) => number, rest = REST): () => void {
  let [timer, due, free] = [0, 0, 0];
  let [busy, missed, ended] = [false, false, false];
  const wait = (until: number) => {
    clearTimeout(timer);
    due = until;
    if (until < Infinity) timer = setTimeout(() => void once(), Math.max(0, until - performance.now())) as unknown as number;
  };
  const once = async () => {
    const began = performance.now();
    [busy, missed] = [true, false];
    await work();
    busy = false;
    if (ended) return;
    const now = performance.now();
    const own = source.canWrite ? pause(now - began) : Infinity;
    free = now + (now - began) * rest;
    wait(missed && own < Infinity ? free : now + (told.value && own >= HURRY ? Math.max(own, CALM) : own));
  };
  const before = changes.peek();
  const deaf = changes.subscribe((value) => {
    if (value === before) return;
    if (busy) missed = true;
    else if (due > free && due < Infinity) wait(free);
  });
  void once();
  return () => {
    ended = true;
    clearTimeout(timer);
    deaf();
  };
}

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
  const written = writes.value;
  useEffect(() => {
    if (name === null || (!shown && state.name === name)) return;
    const abort = new AbortController();
    let failures = 0;
    const once = async () => {
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
    };
    const stop = again(once, (took) => {
      if (!every && (!failures || online.value)) return Infinity;
      // What takes long is asked for less often: a page is a small part of what a server does.
      return failures ? Math.min(15_000, 1_000 * 2 ** failures) : Math.min(60_000, Math.max(every, took * (every < HURRY ? 2 : REST)));
    });
    return () => {
      abort.abort();
      stop();
    };
  }, [name, turn, every, shown, written]);
  return {
    data: state.data,
    error: state.name === name ? state.error : undefined,
    stale: state.name !== name,
    reload: () => setTurn((before) => before + 1),
  };
}
