// The source that is the page itself: runs, points of their series and small files, put into it when it was made.

import { passes } from "../lib/filter.ts";
import { metric, spelled, type Cell } from "../lib/format.ts";
import type { MetricInfo, Summary, TextInfo } from "../lib/columns.ts";
import {
  SourceError,
  type Aggregate, type Artifact, type Ask, type Experiment, type Group, type Heard, type Line, type Run, type SeriesAsk, type Source, type Window, type Writer,
} from "./source.ts";
import { readRun, type WireRun } from "./wire.ts";

interface Data {
  made: number;
  place: string;
  more: boolean;
  experiments: Experiment[];
  runs: WireRun[];
  series: Record<string, Record<string, [n: number, steps: number[], times: number[], values: (number | string)[]]>>;
  files: Record<string, [string, number | null][]>;
  contents: Record<string, Record<string, string>>;
}

const ALWAYS = ["run_id", "run_name", "status", "start_time", "end_time", "experiment_id", "lifecycle_stage"].map((one) => `attributes.${one}`).concat("tags.mlflow.parentRunId");
const PARENT = "mlflow.parentRunId";
const TYPES: Record<string, string> = { png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", svg: "image/svg+xml" };
const MOST_GROUPS = 2_000;

function refuse(): never {
  throw new SourceError("This page is a copy: nothing in it can be changed.", "COPY", 403);
}

function absent(what: string): never {
  throw new SourceError(`${what} is not in this copy.`, "RESOURCE_DOES_NOT_EXIST", 404);
}

/** A number for sorting; texts and what is missing have none. */
const numberOf = (cell: Cell) => metric(cell) ?? spelled(cell);

export class FileSource implements Source, Writer {
  readonly canWrite = false;
  readonly made: number;
  readonly place: string;
  private readonly data: Data;
  private readonly all: Run[];
  private readonly byId: Map<string, Run>;
  private readonly cells = new Map<Run, Map<string, Cell>>();

  constructor() {
    this.data = JSON.parse(document.getElementById("data")!.textContent!) as Data;
    this.made = this.data.made;
    this.place = this.data.place;
    this.all = this.data.runs.map(readRun).sort((a, b) => b.info.start_time - a.info.start_time);
    this.byId = new Map(this.all.map((one) => [one.info.run_id, one]));
    for (const run of this.all) this.cells.set(run, this.cellsOf(run));
  }

  private cellsOf({ info, metrics, params, tags }: Run): Map<string, Cell> {
    const found = new Map<string, Cell>();
    for (const [key, value] of Object.entries(info)) found.set(`attributes.${key}`, value);
    found.set("attributes.user_id", tags["mlflow.user"] ?? info.user_id);
    found.set("attributes.duration", info.end_time ? info.end_time - info.start_time : null);
    for (const one of metrics) found.set(`metrics.${one.key}`, one.value);
    for (const one of params) found.set(`params.${one.key}`, one.value);
    for (const key of Object.keys(tags)) found.set(`tags.${key}`, tags[key]!);
    return found;
  }

  private cell(run: Run, column: string): Cell {
    const known = this.cells.get(run)!.get(column);
    const deep = known === undefined ? /^(lowest|highest|at)\.(.+)$/s.exec(column) : null;
    if (!deep) return known ?? null;
    const [, kind, key] = deep as unknown as [string, string, string];
    const cut = kind === "at" ? key.indexOf(".") + 1 : 0;
    const series = this.data.series[run.info.run_id]?.[key.slice(cut)];
    if (!series) return null;
    if (kind === "at") {
      const step = Number(key.slice(0, cut - 1));
      const at = series[1].findLastIndex((one) => one <= step);
      return at < 0 || (at === series[1].length - 1 && series[1][at] !== step) ? null : series[3][at]!;
    }
    const finite = series[3].filter((one): one is number => typeof one === "number");
    if (!finite.length) return null;
    return finite.reduce((best, one) => (kind === "lowest" ? Math.min(best, one) : Math.max(best, one)));
  }

  private matching(ask: Ask): Run[] {
    let test;
    try {
      test = passes(ask.where);
    } catch (error) {
      throw new SourceError((error as Error).message, "INVALID_PARAMETER_VALUE", 400);
    }
    const found = this.all.filter((run) => ask.experiments.includes(run.info.experiment_id) && (ask.view === 3 || (run.info.lifecycle_stage === "deleted") === (ask.view === 2)) && test((column) => this.cell(run, column)));
    for (const term of [...ask.order_by].reverse()) {
      const descending = / DESC$/.test(term);
      const name = term.replace(/ (ASC|DESC)$/, "");
      const extreme = /^metrics\.[`"](.*)[`"]\.(min|max)$/s.exec(name);
      const column = extreme ? `${extreme[2] === "min" ? "lowest" : "highest"}.${extreme[1]}` : name.replace(/^(\w+\.)[`"](.*)[`"]$/s, "$1$2");
      found.sort((a, b) => inOrder(this.cell(a, column), this.cell(b, column), descending));
    }
    return found;
  }

  private columns(runs: readonly Run[], names: readonly string[]): Record<string, Cell[]> {
    return Object.fromEntries([...new Set(names)].map((name) => [name, runs.map((run) => this.cell(run, name))]));
  }

  async experiments() {
    return { experiments: this.data.experiments, more: false };
  }

  async news() {
    return { finished: 0, failed: 0, killed: 0, running: 0, stale: 0 };
  }

  async trash(): Promise<never> {
    return absent("The trash");
  }

  async emptyTrash(): Promise<never> {
    return refuse();
  }

  async experimentTags(id: string) {
    return this.data.experiments.find((one) => one.id === id)?.tags ?? {};
  }

  async activity(ids: readonly string[]) {
    return Object.fromEntries(ids.map((id) => {
      const own = this.all.filter((run) => run.info.experiment_id === id);
      const recent = own.slice(0, 20).map((run): [string, number] => [run.info.status, run.info.start_time]);
      return [id, { last: own[0]?.info.start_time ?? null, recent, running: own.filter((run) => run.info.status === "RUNNING").length, total: own.length }];
    }));
  }

  async runs(ask: Ask, columns: readonly string[] | null, offset: number, limit: number): Promise<Window> {
    const found = this.matching(ask);
    const rows = found.slice(offset, offset + limit);
    const names = columns ?? [...new Set(rows.flatMap((run) => [...this.cells.get(run)!.keys()].filter((id) => /^(metrics|params)\./.test(id))))].slice(0, 60).concat("attributes.duration");
    const best: NonNullable<Window["best"]> = {};
    for (const run of rows) {
      const children = this.all.filter((one) => one.tags[PARENT] === run.info.run_id);
      if (!children.length) continue;
      const own: Record<string, readonly [number, string, string | null]> = best[run.info.run_id] = {};
      for (const name of names.filter((id) => id.startsWith("metrics."))) {
        const ranked = children.flatMap((one) => (typeof this.cell(one, name) === "number" ? [[this.cell(one, name) as number, one.info.run_id, one.info.run_name] as const] : []));
        const down = ask.minimize?.includes(name);
        if (ranked.length) own[name] = ranked.reduce((a, b) => ((down ? b[0] < a[0] : b[0] > a[0]) ? b : a));
      }
    }
    return { columns: this.columns(rows, [...ALWAYS, ...names]), count: rows.length, total: found.length, more: offset + rows.length < found.length, best };
  }

  async summary(ask: Ask): Promise<Summary> {
    const runs = this.matching(ask);
    const ids = new Set(runs.map((run) => run.info.run_id));
    const [status, children]: [Record<string, number>, Record<string, number>] = [{}, {}];
    for (const { info, tags } of runs) {
      status[info.status] = (status[info.status] ?? 0) + 1;
      const parent = tags[PARENT];
      if (parent && ids.has(parent)) children[parent] = (children[parent] ?? 0) + 1;
    }
    const keys = [...new Set(runs.flatMap((run) => [...this.cells.get(run)!.keys()]))].sort();
    const of = (kind: string) => keys.filter((id) => id.startsWith(`${kind}.`));
    return {
      total: runs.length, complete: true, capped: this.data.more, status, children,
      users: [...new Set(runs.map((run) => run.info.user_id))].filter(Boolean).sort(),
      metrics: of("metrics").map((id) => this.metricInfo(id, runs)),
      params: of("params").map((id) => this.textInfo(id, runs)),
      tags: of("tags").map((id) => this.textInfo(id, runs)),
    };
  }

  private metricInfo(id: string, runs: readonly Run[]): MetricInfo {
    const there = runs.map((run) => this.cell(run, id)).filter((cell) => cell !== null);
    const finite = there.filter((cell): cell is number => typeof cell === "number");
    const [min, max] = finite.length ? [Math.min(...finite), Math.max(...finite)] : [null, null];
    return { key: id.slice(8), n: there.length, min, max, ties: [finite.filter((one) => one === min).length, finite.filter((one) => one === max).length] };
  }

  private textInfo(id: string, runs: readonly Run[]): TextInfo {
    const counts = new Map<string, number>();
    for (const run of runs) {
      const cell = this.cell(run, id);
      if (cell !== null) counts.set(String(cell), (counts.get(String(cell)) ?? 0) + 1);
    }
    const n = [...counts.values()].reduce((sum, one) => sum + one, 0);
    const numeric = [...counts.keys()].every((text) => spelled(text) !== null);
    const values = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 25);
    if (numeric) values.sort((a, b) => Number(a[0]) - Number(b[0]));
    return { key: id.slice(id.indexOf(".") + 1), n, distinct: counts.size + Number(n < runs.length), numeric, values };
  }

  async groups(ask: Ask, by: readonly string[], columns: readonly string[], minimize: readonly string[]) {
    const found = new Map<string, { values: Cell[]; runs: Run[] }>();
    for (const run of this.matching(ask)) {
      const values = by.map((id) => this.cell(run, id));
      const key = JSON.stringify(values);
      const group = found.get(key) ?? { values, runs: [] };
      group.runs.push(run);
      found.set(key, group);
    }
    const groups: Group[] = [...found.values()].sort((a, b) => b.runs.length - a.runs.length).slice(0, MOST_GROUPS).map(({ values, runs }) => ({
      values, n: runs.length, run_ids: runs.slice(0, 200).map((run) => run.info.run_id),
      cells: Object.fromEntries(columns.map((id) => [id, this.aggregate(runs, id, minimize.includes(id))])),
    }));
    return { by: [...by], total: found.size, complete: true, groups };
  }

  private aggregate(runs: readonly Run[], id: string, down: boolean): Aggregate {
    const there = runs.map((run) => ({ run, cell: this.cell(run, id) })).filter((one) => one.cell !== null);
    const numbers = there.map(({ run, cell }) => ({ run, value: numberOf(cell) })).filter((one): one is { run: Run; value: number } => one.value !== null && Number.isFinite(one.value));
    if (numbers.length < there.length && !id.startsWith("metrics.")) {
      const texts = [...new Set(there.map((one) => String(one.cell)))];
      return { n: there.length, values: texts.slice(0, 5), distinct: texts.length };
    }
    if (!numbers.length) return { n: 0 };
    const n = numbers.length;
    const mean = numbers.reduce((sum, one) => sum + one.value, 0) / n;
    const spread = numbers.reduce((sum, one) => sum + (one.value - mean) ** 2, 0);
    const ranked = [...numbers].sort((a, b) => a.value - b.value);
    return { n, mean, sd: n > 1 ? Math.sqrt(spread / (n - 1)) : null, min: ranked[0]!.value, max: ranked.at(-1)!.value, best: ranked.at(down ? 0 : -1)!.run.info.run_id, odd: there.length - n };
  }

  async points(ask: Ask, columns: readonly string[]) {
    const runs = this.matching(ask);
    return { columns: this.columns(runs, [...ALWAYS.slice(0, 3), ...columns]), count: runs.length, total: runs.length, complete: true };
  }

  async compare(ids: readonly string[]) {
    const runs = ids.flatMap((id) => this.byId.get(id) ?? []);
    const names = [...ALWAYS, "attributes.user_id", "attributes.duration", ...runs.flatMap((run) => [...this.cells.get(run)!.keys()].filter((id) => !id.startsWith("attributes.")))];
    const datasets = runs.map((run) => run.datasets.map(({ dataset }): [string, string] => [dataset.name, dataset.digest]));
    return { columns: this.columns(runs, names), datasets, missing: ids.filter((id) => !this.byId.has(id)) };
  }

  async series({ runs, keys, axis, low, high }: SeriesAsk) {
    const lines: Line[] = [];
    const about: Record<string, { start: number | null; status: string }> = {};
    for (const id of runs) {
      const run = this.byId.get(id);
      if (!run) continue;
      about[id] = { start: run.info.start_time, status: run.info.status };
      for (const key of keys) {
        const found = this.data.series[id]?.[key];
        if (found) lines.push(lineOf(id, key, found, axis, low ?? -Infinity, high ?? Infinity));
      }
    }
    return { series: lines, runs: about, missing: runs.filter((id) => !this.byId.has(id)) };
  }

  async run(id: string): Promise<Run> {
    return this.byId.get(id) ?? absent("This run");
  }

  async artifacts(run: string, path: string): Promise<Artifact[]> {
    const before = path ? `${path}/` : "";
    return (this.data.files[run] ?? []).filter(([name]) => name.startsWith(before) && name.length > before.length && !name.slice(before.length).includes("/"))
      .map(([name, size]) => ({ path: name, is_dir: size === null, file_size: size }));
  }

  fileUrl(run: string, path: string): string {
    const content = this.data.contents[run]?.[path];
    const ending = path.split(".").pop()!.toLowerCase();
    return content === undefined ? "" : `data:${TYPES[ending] ?? "text/plain;charset=utf-8"};base64,${content}`;
  }

  archiveUrl(): string {
    return "";
  }

  pageUrl(): string {
    return "";
  }

  async bytes(run: string, path: string, start: number, end: number) {
    const content = this.data.contents[run]?.[path];
    if (content === undefined) return absent("What is in this file");
    const body = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
    return { body: body.slice(start, end), size: body.length };
  }

  async loggedModels() {
    return [];
  }

  async loggedModel(): Promise<never> {
    return absent("This model");
  }

  async registeredModels() {
    return [];
  }

  async registeredModel(): Promise<never> {
    return absent("This model");
  }

  async versions() {
    return [];
  }

  rights(): Promise<never> {
    return Promise.reject(new SourceError("This page is a copy: nothing in it can be changed.", "COPY", 403));
  }

  watch(_experiments: readonly string[], _hear: (news: Heard) => void) {
    return () => undefined;
  }

  async saveFile(): Promise<never> {
    return refuse();
  }

  async post(): Promise<never> {
    return refuse();
  }
}

/** Numbers before texts, what is missing last, whichever the direction. */
function inOrder(a: Cell, b: Cell, descending: boolean): number {
  if ((a ?? null) === null || (b ?? null) === null) return Number((a ?? null) === null) - Number((b ?? null) === null);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x === null || y === null) {
    if (x !== y) return x === null ? 1 : -1;
    return (String(a) < String(b) ? -1 : Number(String(a) > String(b))) * (descending ? -1 : 1);
  }
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return (x - y) * (descending ? -1 : 1);
}

function lineOf(run: string, key: string, [n, steps, times, values]: [number, number[], number[], (number | string)[]], axis: "step" | "time", low: number, high: number): Line {
  const along = axis === "time" ? times : steps;
  const order = along.map((_, at) => at).filter((at) => along[at]! >= low && along[at]! <= high).sort((a, b) => along[a]! - along[b]!);
  const drawn = order.filter((at) => typeof values[at] === "number");
  const marks = order.filter((at) => typeof values[at] !== "number").map((at): [number, string] => [along[at]!, String(values[at])]);
  const exact = n === values.length;
  return { run, key, x: drawn.map((at) => along[at]!), y: drawn.map((at) => values[at] as number), n: exact ? drawn.length : n, exact, ...(marks.length ? { marks } : {}) };
}
