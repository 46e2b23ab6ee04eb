// What pages ask of wherever the data is: a server, or the page itself.

import type { Cell } from "../lib/format.ts";
import type { Summary } from "../lib/columns.ts";

/** What is active, what was deleted, both. */
export type View = 1 | 2 | 3;

export interface Experiment {
  id: string;
  name: string;
  stage: "active" | "deleted";
  created: number | null;
  updated: number | null;
  location: string;
  tags: Record<string, string>;
}

export interface Activity {
  last: number | null;
  recent: [string, number][];
  running: number;
  total: number | null;
}

/** Which runs. */
export interface Ask {
  experiments: readonly string[];
  where: string;
  view: View;
  order_by: readonly string[];
  /** The metrics of which less is better, for rows that show the best of what is nested in them. */
  minimize?: readonly string[];
}

export interface Window {
  columns: Record<string, Cell[]>;
  count: number;
  total: number | null;
  more: boolean;
  /** Of rows with runs nested in them: by metric, the value, id and name of the best of these. */
  best?: Record<string, Record<string, Nested>>;
}

export type Nested = readonly [value: number, id: string, name: string | null];

/** How many runs have ended since somebody looked, and how many are running; stale ones have not done anything for long. */
export interface News {
  finished: number;
  failed: number;
  killed: number;
  running: number;
  stale: number;
}

export interface Aggregate {
  n: number;
  mean?: number;
  sd?: number | null;
  min?: number;
  max?: number;
  best?: string;
  odd?: number;
  values?: string[];
  distinct?: number;
}

export interface Group {
  values: Cell[];
  n: number;
  run_ids: string[];
  cells: Record<string, Aggregate>;
}

export interface Groups {
  by: string[];
  total: number;
  complete: boolean;
  groups: Group[];
}

export interface Points {
  columns: Record<string, Cell[]>;
  count: number;
  total: number;
  complete: boolean;
}

export interface Compared {
  columns: Record<string, Cell[]>;
  datasets: [string, string][][];
  missing: string[];
}

export interface Line {
  run: string;
  key: string;
  x: number[];
  y: number[];
  n: number;
  exact: boolean;
  means?: [number[], number[], number[]];
  marks?: [number, string][];
}

export interface SeriesAsk {
  runs: readonly string[];
  keys: readonly string[];
  buckets: number;
  axis: "step" | "time";
  low?: number | null;
  high?: number | null;
}

export interface SeriesAnswer {
  series: Line[];
  runs: Record<string, { start: number | null; status: string }>;
  missing: string[];
}

export interface KeyValue {
  key: string;
  value: string;
}

export interface Metric {
  key: string;
  value: number | string;
  timestamp: number;
  step: number;
}

export interface DatasetInput {
  dataset: { name: string; digest: string; source_type: string; source: string; schema?: string; profile?: string };
  tags: KeyValue[];
}

export interface Run {
  info: {
    run_id: string;
    run_name: string;
    experiment_id: string;
    user_id: string;
    status: string;
    start_time: number;
    end_time: number | null;
    artifact_uri: string;
    lifecycle_stage: "active" | "deleted";
  };
  metrics: Metric[];
  params: KeyValue[];
  tags: Record<string, string>;
  datasets: DatasetInput[];
  outputs: { model_id: string; step: number }[];
}

export interface Artifact {
  path: string;
  is_dir: boolean;
  file_size: number | null;
}

export interface LoggedModel {
  model_id: string;
  experiment_id: string;
  name: string;
  artifact_uri: string;
  creation_timestamp_ms: number;
  status: string;
  source_run_id: string;
  model_type: string;
  tags: KeyValue[];
  params: KeyValue[];
  metrics: Metric[];
}

export interface ModelVersion {
  name: string;
  version: string;
  creation_timestamp: number;
  last_updated_timestamp: number;
  description: string;
  current_stage: string;
  source: string;
  run_id: string;
  status: string;
  tags: KeyValue[];
  aliases: string[];
  model_id: string;
}

export interface RegisteredModel {
  name: string;
  creation_timestamp: number;
  last_updated_timestamp: number;
  description: string;
  tags: KeyValue[];
  aliases: { alias: string; version: string }[];
  latest_versions: ModelVersion[];
}

export interface TrashItem {
  kind: "run" | "model" | "experiment";
  id: string;
  name: string;
  experiment: string;
  bytes: number;
  /** Why it cannot be removed; null when it can. */
  stays: string | null;
}

export interface Trash {
  /** When this was so, by the clock of the server. */
  until: number;
  counts: Record<TrashItem["kind"], number>;
  bytes: number;
  /** Whether all of the bytes were counted. */
  measured: boolean;
  items: TrashItem[];
}

/** What the reader may not do with a thing, by operation: the level that they have, and the one that it needs. */
export interface Told {
  denied: Record<string, readonly [has: string, needs: string]>;
  /** Whom they can ask for more. */
  ask: string[];
  manages: boolean;
}

export interface Rights {
  experiments: Record<string, Told>;
  models: Record<string, Told>;
}

/** What is heard of changes: `silent` while nobody tells of them, so that pages ask by themselves. */
export type Heard = "silent" | "listening" | "changed";

/** What of the trash is meant: all of it, or what is named. */
export interface TrashAsk {
  runs?: string[];
  models?: string[];
  experiments?: string[];
}

/** Trouble, told as the server tells it. */
export class SourceError extends Error {
  constructor(message: string, readonly code: string, readonly status: number) {
    super(message);
  }
}

/** Reading. Columns that are null are those that the rows have. */
export interface Source {
  readonly canWrite: boolean;
  experiments(view: View, signal?: AbortSignal): Promise<{ experiments: Experiment[]; more: boolean }>;
  news(experiments: readonly string[], since: number, signal?: AbortSignal): Promise<News>;
  trash(which: TrashAsk, signal?: AbortSignal): Promise<Trash>;
  /** All tags of an experiment, those too that lists leave out. */
  experimentTags(id: string, signal?: AbortSignal): Promise<Record<string, string>>;
  activity(ids: readonly string[], signal?: AbortSignal): Promise<Record<string, Activity>>;
  runs(ask: Ask, columns: readonly string[] | null, offset: number, limit: number, signal?: AbortSignal): Promise<Window>;
  summary(ask: Ask, signal?: AbortSignal): Promise<Summary>;
  groups(ask: Ask, by: readonly string[], columns: readonly string[], minimize: readonly string[], signal?: AbortSignal): Promise<Groups>;
  points(ask: Ask, columns: readonly string[], signal?: AbortSignal): Promise<Points>;
  compare(runs: readonly string[], signal?: AbortSignal): Promise<Compared>;
  series(ask: SeriesAsk, signal?: AbortSignal): Promise<SeriesAnswer>;
  run(id: string, signal?: AbortSignal): Promise<Run>;
  /** The entries of a folder of a run; of a logged model, by its id. Files below are named in the same way. */
  artifacts(run: string, path: string, signal?: AbortSignal): Promise<Artifact[]>;
  /** The address of a file, for downloads, images and frames. */
  fileUrl(run: string, path: string): string;
  /** The address of a folder as a ZIP archive; all of a run's files for an empty path. */
  archiveUrl(run: string, path: string): string;
  /** The address of an HTML file as a page that has no origin. */
  pageUrl(run: string, path: string): string;
  /** Some bytes of a file, and how large it is where that is known. */
  bytes(run: string, path: string, start: number, end: number, signal?: AbortSignal): Promise<{ body: Uint8Array; size: number | null }>;
  loggedModels(experiments: readonly string[], run: string, signal?: AbortSignal): Promise<LoggedModel[]>;
  loggedModel(id: string, signal?: AbortSignal): Promise<LoggedModel>;
  registeredModels(find: string, signal?: AbortSignal): Promise<RegisteredModel[]>;
  registeredModel(name: string, signal?: AbortSignal): Promise<RegisteredModel>;
  versions(filter: string, signal?: AbortSignal): Promise<ModelVersion[]>;
  /** What the reader may do, on a server with users; what they may not see is left out. */
  rights(experiments: readonly string[], models: readonly string[], signal?: AbortSignal): Promise<Rights>;
  /** Tells of changes in the runs of some experiments, until the returned function is called. */
  watch(experiments: readonly string[], hear: (news: Heard) => void): () => void;
}

/** Changing. */
export interface Writer {
  /** Runs as one page, that needs no server; `place` is what it shows first. */
  saveFile(ask: Ask, place: string): Promise<Blob>;
  post(path: string, body: unknown, method?: "POST" | "PATCH" | "DELETE"): Promise<unknown>;
  /** Removes what was in the trash at a time for good, part by part; `onPart` hears how many are left. */
  emptyTrash(which: TrashAsk, until: number, onPart: (left: number) => void): Promise<{ removed: number; stays: { id: string; reason: string }[] }>;
}
