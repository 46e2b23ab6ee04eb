// What the reader of these pages may do with what is shown, as the server says; all where it has no users.

import { useMemo } from "preact/hooks";
import { source } from "../data/index.ts";
import type { Told } from "../data/source.ts";
import { who } from "./account.tsx";
import { useLoad } from "./load.ts";

export interface May {
  /** False until the server has said it: then nothing is offered yet. */
  ready: boolean;
  /** Whether an operation of the server is offered. */
  can: (operation: string) => boolean;
  /** Why an operation is not offered; undefined when it is. */
  why: (operation: string) => string | undefined;
  /** Whether the reader says who may do what with it, on a server with users. */
  manages: boolean;
}

/** Which things are shown. */
export interface Shown {
  experiments?: readonly string[];
  models?: readonly string[];
}

const EVERY = 15_000;

const FREE: May = { ready: true, can: () => true, why: () => undefined, manages: false };
const COPY: May = { ready: true, can: () => false, why: () => "This page is a copy: nothing in it can be changed.", manages: false };
const UNKNOWN: May = { ready: false, can: () => false, why: () => "Asking the server what you may do…", manages: false };

function mayOf(told: Told | undefined, thing: string): May {
  // What the server says nothing of is not there for this reader: the page says so itself.
  if (!told) return FREE;
  const why = (operation: string) => {
    const found = told.denied[operation];
    if (!found) return undefined;
    const [has, needs] = found;
    const ask = told.ask.length ? `; ask ${told.ask.join(" or ")} for ${needs}` : `; it needs ${needs}`;
    return `You may ${has.toLowerCase()} this ${thing}${ask}.`;
  };
  return { ready: true, can: (operation) => !told.denied[operation], why, manages: told.manages };
}

/** What is offered for each of the things on show. */
export function useMayEach(shown: Shown): (key: string) => May {
  const asks = who.value !== null;
  const { experiments = [], models = [] } = shown;
  const name = JSON.stringify([experiments, models]);
  const loaded = useLoad(asks && (experiments.length || models.length) ? `rights ${name}` : null, (signal) => source.rights(experiments, models, signal), EVERY);
  const { error } = loaded;
  const data = loaded.stale ? undefined : loaded.data;
  return useMemo((): ((key: string) => May) => {
    if (!source.canWrite) return () => COPY;
    if (!asks) return () => FREE;
    // A server that cannot say it still refuses what it has to.
    if (!data) return () => (error ? FREE : UNKNOWN);
    const known = new Map<string, May>();
    return (key: string): May => {
      const found = known.get(key) ?? (models.includes(key) ? mayOf(data.models[key], "model") : experiments.includes(key) ? mayOf(data.experiments[key], "experiment") : UNKNOWN);
      known.set(key, found);
      return found;
    };
  }, [asks, data, error, name]);
}

/** What is offered for all of the things on show together. */
export function useMay(shown: Shown): May {
  const each = useMayEach(shown);
  const keys = [...(shown.experiments ?? []), ...(shown.models ?? [])];
  return useMemo(() => {
    const all = keys.map(each);
    if (all.length < 2) return all[0] ?? (source.canWrite ? FREE : COPY);
    return {
      ready: all.every((one) => one.ready),
      can: (operation) => all.every((one) => one.can(operation)),
      why: (operation) => all.map((one) => one.why(operation)).find((one) => one !== undefined),
      manages: all.every((one) => one.manages),
    };
  }, [each, keys.join("\n")]);
}
