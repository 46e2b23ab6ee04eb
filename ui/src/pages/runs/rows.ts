// The rows of the table: loaded a hundred at a time where they are looked at, refreshed while they are.

import { signal } from "@preact/signals";
import { source, writes } from "../../data/index.ts";
import type { Ask, Nested, Window } from "../../data/source.ts";
import type { Cell } from "../../lib/format.ts";
import { again, online, REST, visible } from "../../app/load.ts";

const PAGE = 100;

interface Page {
  /** The question that it answers. */
  key: string;
  /** The answer. */
  found: Window;
  /** The answer, with columns of earlier answers about the same runs. */
  data: Window;
}

/** A run as the table knows it. */
export interface Row {
  id: string;
  name: string;
  status: string;
  start: number | null;
  end: number | null;
  experiment: string;
  stage: string;
  parent: string | null;
}

export class Rows {
  /** Goes up when something changed. */
  readonly version = signal(0);
  readonly error = signal<Error | null>(null);
  /** Whether the rows shown belong to an earlier question. */
  readonly stale = signal(true);
  loaded = false;

  private many = 0;
  private all: number | null = null;
  private ask: Ask | null = null;
  private columns: readonly string[] | null = null;
  private pages = new Map<number, Page>();
  private pending = new Map<number, AbortController>();
  private from = 0;
  private to = 40;
  private key = "";

  // Whoever reads these is drawn again when they change: the version is a signal.

  /** How many rows the table has, as far as that is known. */
  get count(): number {
    void this.version.value;
    return this.many;
  }

  /** How many rows there are; null while that is not known. */
  get total(): number | null {
    void this.version.value;
    return this.all;
  }

  /** What the first rows have; null before they are there. */
  get first(): Window | null {
    void this.version.value;
    return this.pages.get(0)?.data ?? null;
  }

  /** Shows other runs, or other columns of them; null for those that the first rows have. */
  show(ask: Ask, columns: readonly string[] | null): void {
    const key = JSON.stringify([ask, columns]);
    if (key === this.key) return;
    const sameRuns = this.ask !== null && JSON.stringify(this.ask) === JSON.stringify(ask);
    const known = sameRuns && !this.stale.value && columns !== null && this.has(columns);
    this.key = key;
    this.ask = ask;
    this.columns = columns;
    for (const one of this.pending.values()) one.abort();
    this.pending.clear();
    if (known) {
      // All of it is there; it is asked for again when its time has come.
      for (const page of this.pages.values()) page.key = key;
      return;
    }
    if (!sameRuns) this.stale.value = true;
    void this.load(true);
  }

  private has(columns: readonly string[]): boolean {
    if (!this.pages.size) return false;
    return [...this.pages.values()].every((page) => columns.every((id) => page.data.columns[id] !== undefined));
  }

  /** Tells which rows are in view. */
  look(from: number, to: number): void {
    this.from = from;
    this.to = to;
    if (this.ask && !this.stale.value) void this.load(false);
  }

  row(at: number): Row | null {
    void this.version.value;
    const page = this.pages.get(Math.floor(at / PAGE))?.data;
    return page ? readRow(page, at % PAGE) : null;
  }

  /** Where a run stands, if its page is loaded; -1 if not. */
  indexOf(id: string): number {
    for (const [number, page] of this.pages) {
      const at = page.data.columns["attributes.run_id"]?.indexOf(id) ?? -1;
      if (at >= 0) return number * PAGE + at;
    }
    return -1;
  }

  cell(at: number, column: string): Cell {
    void this.version.value;
    const page = this.pages.get(Math.floor(at / PAGE))?.data;
    return page?.columns[column]?.[at % PAGE];
  }

  /** The best of what is nested in a row; null where nothing is. */
  best(at: number, column: string): Nested | null {
    const page = this.pages.get(Math.floor(at / PAGE))?.data;
    const id = page?.columns["attributes.run_id"]?.[at % PAGE] as string | undefined;
    return (id && page?.best?.[id]?.[column]) || null;
  }

  /** The first rows that are loaded, at most `most`. */
  top(most: number): Row[] {
    const found: Row[] = [];
    for (let at = 0; at < Math.min(most, this.count); at++) {
      const row = this.row(at);
      if (row) found.push(row);
    }
    return found;
  }

  find(id: string): Row | null {
    const at = this.indexOf(id);
    return at < 0 ? null : this.row(at);
  }

  reload(): void {
    void this.load(true);
  }

  start(): () => void {
    const tick = async () => {
      if (visible.value && this.ask) await this.load(true);
    };
    const rest = again(tick, (took) => Math.min(60_000, Math.max(online.value ? 3_000 : 5_000, took * REST)));
    const stop = writes.subscribe(() => {
      if (this.ask) void this.load(true);
    });
    return () => {
      stop();
      rest();
      for (const one of this.pending.values()) one.abort();
    };
  }

  private async load(again: boolean): Promise<void> {
    const wanted = this.stale.value ? [0] : this.inView();
    const missing = wanted.filter((page) => (again || this.pages.get(page)?.key !== this.key) && !this.pending.has(page));
    await Promise.all(missing.map((page) => this.fetch(page)));
  }

  private inView(): number[] {
    const first = Math.floor(this.from / PAGE);
    const last = Math.floor(Math.max(this.from, Math.min(this.to, Math.max(1, this.many)) - 1) / PAGE);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  }

  private async fetch(page: number): Promise<void> {
    const abort = new AbortController();
    this.pending.set(page, abort);
    const key = this.key;
    try {
      const found = await source.runs(this.ask!, this.columns, page * PAGE, PAGE, abort.signal);
      if (key !== this.key) return;
      online.value = true;
      this.take(page, found);
    } catch (error) {
      if (abort.signal.aborted) return;
      const told = error instanceof Error ? error : new Error(String(error));
      if ((told as { code?: string }).code === "OFFLINE") online.value = false;
      if (!this.loaded || online.value) {
        this.error.value = told;
        this.version.value += 1;
      }
    } finally {
      if (this.pending.get(page) === abort) this.pending.delete(page);
    }
  }

  private take(page: number, found: Window): void {
    if (!this.stale.value && this.pages.get(page)?.found === found && this.pages.get(page)?.key === this.key && !this.error.value) return;
    if (this.stale.value) {
      this.pages.clear();
      this.many = 0;
      this.all = null;
      this.stale.value = false;
    }
    const before = this.pages.get(page);
    this.pages.delete(page);
    this.pages.set(page, { key: this.key, found, data: before ? merged(before.data, found) : found });
    // Pages far away are dropped: memory stays flat however far one scrolls.
    if (this.pages.size > 40) this.pages.delete(this.pages.keys().next().value!);
    const end = page * PAGE + found.count;
    if (found.total !== null) this.all = this.many = found.total;
    else {
      this.all = found.more ? null : end;
      this.many = found.more ? Math.max(this.many, end + PAGE) : end;
    }
    this.loaded = true;
    this.error.value = null;
    this.version.value += 1;
    void this.load(false);
  }
}

/** A run of an answer; null beyond its end. */
export function readRow(page: Window, index: number): Row | null {
  if (index >= page.count) return null;
  const cell = (name: string) => page.columns[name]?.[index] ?? null;
  return {
    id: cell("attributes.run_id") as string,
    name: (cell("attributes.run_name") as string | null) ?? "",
    status: cell("attributes.status") as string,
    start: cell("attributes.start_time") as number | null,
    end: cell("attributes.end_time") as number | null,
    experiment: cell("attributes.experiment_id") as string,
    stage: cell("attributes.lifecycle_stage") as string,
    parent: cell("tags.mlflow.parentRunId") as string | null,
  };
}

/** What was known of the same rows stays until it is asked for again: scrolling back shows it at once. */
function merged(before: Window, found: Window): Window {
  const [old, now] = [before.columns["attributes.run_id"] ?? [], found.columns["attributes.run_id"] ?? []];
  if (old.length !== now.length || old.some((id, at) => id !== now[at])) return found;
  const best = Object.fromEntries(Object.entries(found.best ?? {}).map(([id, own]) => [id, { ...before.best?.[id], ...own }]));
  return { ...found, columns: { ...before.columns, ...found.columns }, best };
}
