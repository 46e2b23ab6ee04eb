// The source that is a server: columns from `ui-api/`, single things and changes from MLflow's REST API.

import { signal } from "@preact/signals";
import {
  SourceError,
  type Artifact, type Ask, type Activity, type Compared, type Experiment, type Groups, type Heard, type KeyValue,
  type LoggedModel, type Metric, type ModelVersion, type News, type Points, type RegisteredModel, type Rights, type Run,
  type SeriesAnswer, type SeriesAsk, type Source, type Trash, type TrashAsk, type View, type Window, type Writer,
} from "./source.ts";
import { csrfWord } from "./csrf.ts";
import type { Summary } from "../lib/columns.ts";
import { keepText, keptText } from "../app/kept.ts";
import { readRun, type WireRun } from "./wire.ts";
import { partsOf } from "../lib/trash.ts";

const API = "ajax-api/2.0/mlflow/";

/** How often something was changed from here: what is shown is asked for again. */
export const writes = signal(0);

interface Kept {
  tag: string;
  value: unknown;
}

/** Answers that were given before: an unchanged one is neither sent nor read again. */
const kept = new Map<string, Kept>();
const MAX_KEPT = 60;

function keep(name: string, found: Kept): void {
  kept.delete(name);
  kept.set(name, found);
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value!);
}

/** Asks the server; throws what it refuses. Where somebody is signed in no longer, the page is loaded again. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  let reply: Response;
  const word = csrfWord(document.cookie);
  const headers = word ? { ...(init.headers as Record<string, string> | undefined), "x-csrf-token": word } : init.headers;
  try {
    reply = await fetch(path, { credentials: "same-origin", ...init, ...(headers ? { headers } : {}) });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new SourceError("The server does not answer.", "OFFLINE", 0);
  }
  if (reply.ok || reply.status === 304) return reply;
  if (reply.status === 401) location.reload();
  const text = await reply.text();
  let message = text.slice(0, 500) || reply.statusText;
  let code = `HTTP_${reply.status}`;
  try {
    const told = JSON.parse(text) as { message?: string; error_code?: string };
    message = told.message ?? message;
    code = told.error_code ?? code;
  } catch {
    // Not from the program itself, but from something on the way to it.
  }
  throw new SourceError(message, code, reply.status);
}

/** Asks for page data. The same object is returned while the answer is the same. */
export async function ask<T>(name: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const text = JSON.stringify(body);
  const known = kept.get(name + text);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (known) headers["if-none-match"] = known.tag;
  const reply = await send(`ui-api/${name}`, { method: "POST", body: text, headers, signal: signal ?? null });
  if (reply.status === 304 && known) return known.value as T;
  const value = (await reply.json()) as T;
  const tag = reply.headers.get("etag");
  if (tag) keep(name + text, { tag, value });
  return value;
}

async function get<T>(path: string, query: Record<string, string>, signal?: AbortSignal): Promise<T> {
  const tail = new URLSearchParams(query).toString();
  return (await (await send(`${API}${path}${tail ? `?${tail}` : ""}`, { signal: signal ?? null })).json()) as T;
}

async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = {
    method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal: signal ?? null,
  };
  return (await (await send(`${API}${path}`, init)).json()) as T;
}

interface WireModel {
  info: {
    model_id: string; experiment_id: string; name: string; artifact_uri: string; creation_timestamp_ms: number;
    status: string; source_run_id?: string; model_type?: string; tags?: KeyValue[];
  };
  data?: { params?: KeyValue[]; metrics?: Metric[] };
}

function readLogged({ info, data }: WireModel): LoggedModel {
  return {
    ...info,
    creation_timestamp_ms: Number(info.creation_timestamp_ms),
    status: String(info.status).replace("LOGGED_MODEL_", ""),
    source_run_id: info.source_run_id ?? "",
    model_type: info.model_type ?? "",
    tags: info.tags ?? [],
    params: data?.params ?? [],
    metrics: data?.metrics ?? [],
  };
}

function readVersion(wire: Partial<ModelVersion>): ModelVersion {
  return {
    name: "", version: "", description: "", current_stage: "None", source: "", run_id: "", status: "READY", model_id: "",
    ...wire,
    creation_timestamp: Number(wire.creation_timestamp ?? 0),
    last_updated_timestamp: Number(wire.last_updated_timestamp ?? 0),
    tags: wire.tags ?? [],
    aliases: wire.aliases ?? [],
  };
}

function readModel(wire: Partial<RegisteredModel>): RegisteredModel {
  return {
    name: wire.name ?? "",
    creation_timestamp: Number(wire.creation_timestamp ?? 0),
    last_updated_timestamp: Number(wire.last_updated_timestamp ?? 0),
    description: wire.description ?? "",
    tags: wire.tags ?? [],
    aliases: wire.aliases ?? [],
    latest_versions: (wire.latest_versions ?? []).map(readVersion),
  };
}

/** Logged models have files of their own; their ids cannot be those of runs. */
function isModel(id: string): boolean {
  return id.startsWith("m-");
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export class ServerSource implements Source, Writer {
  readonly canWrite = true;

  experiments(view: View, signal?: AbortSignal) {
    return ask<{ experiments: Experiment[]; more: boolean }>("experiments", { view }, signal);
  }

  news(experiments: readonly string[], since: number, signal?: AbortSignal) {
    return ask<News>("news", { experiments, since }, signal);
  }

  trash(which: TrashAsk, signal?: AbortSignal) {
    return ask<Trash>("trash", which, signal);
  }

  async emptyTrash(which: TrashAsk, until: number, onPart: (left: number) => void) {
    const stays: { id: string; reason: string }[] = [];
    let removed = 0;
    const parts = partsOf(which);
    for (const [at, one] of parts.entries()) {
      let skip = 0;
      for (let left = 1; left > 0; ) {
        // What stays is still there, in front of the rest: it is passed over.
        const part = await ask<{ removed: number; stays: typeof stays; left: number }>("trash/empty", { ...one, until, skip });
        removed += part.removed;
        stays.push(...part.stays);
        skip += part.stays.length;
        left = part.left;
        onPart(left + parts.slice(at + 1).reduce((sum, next) => sum + Math.max(1, (next.runs ?? []).length + (next.models ?? []).length), 0));
      }
    }
    writes.value += 1;
    return { removed, stays };
  }

  activity(ids: readonly string[], signal?: AbortSignal) {
    return ask<Record<string, Activity>>("activity", { experiments: ids }, signal);
  }

  runs(which: Ask, columns: readonly string[] | null, offset: number, limit: number, signal?: AbortSignal) {
    return ask<Window>("runs", { ...which, columns, offset, limit }, signal);
  }

  summary(which: Ask, signal?: AbortSignal) {
    return ask<Summary>("summary", { ...which, order_by: [] }, signal);
  }

  groups(which: Ask, by: readonly string[], columns: readonly string[], minimize: readonly string[], signal?: AbortSignal) {
    return ask<Groups>("groups", { ...which, by, columns, minimize }, signal);
  }

  points(which: Ask, columns: readonly string[], signal?: AbortSignal) {
    return ask<Points>("points", { ...which, columns }, signal);
  }

  compare(runs: readonly string[], signal?: AbortSignal) {
    return ask<Compared>("compare", { runs }, signal);
  }

  series(which: SeriesAsk, signal?: AbortSignal) {
    return ask<SeriesAnswer>("series", which, signal);
  }

  async experimentTags(id: string, signal?: AbortSignal) {
    const found = await get<{ experiment: { tags?: KeyValue[] } }>("experiments/get", { experiment_id: id }, signal);
    return Object.fromEntries((found.experiment.tags ?? []).map((one) => [one.key, one.value]));
  }

  async run(id: string, signal?: AbortSignal): Promise<Run> {
    return readRun((await get<{ run: WireRun }>("runs/get", { run_id: id }, signal)).run);
  }

  async artifacts(run: string, path: string, signal?: AbortSignal): Promise<Artifact[]> {
    const query: Record<string, string> = isModel(run) ? {} : { run_id: run };
    if (path) query[isModel(run) ? "artifact_directory_path" : "path"] = path;
    const place = isModel(run) ? `logged-models/${run}/artifacts/directories` : "artifacts/list";
    const found = await get<{ files?: { path: string; is_dir?: boolean; file_size?: number | string }[] }>(place, query, signal);
    return (found.files ?? []).map((one) => ({
      path: one.path,
      is_dir: !!one.is_dir,
      file_size: one.file_size === undefined || one.is_dir ? null : Number(one.file_size),
    }));
  }

  fileUrl(run: string, path: string): string {
    if (isModel(run)) return `${API}logged-models/${run}/artifacts/files?${new URLSearchParams({ artifact_file_path: path })}`;
    return `get-artifact?${new URLSearchParams({ path, run_uuid: run })}`;
  }

  archiveUrl(run: string, path: string): string {
    return `get-archive?${new URLSearchParams({ path, run_id: run })}`;
  }

  pageUrl(run: string, path: string): string {
    if (isModel(run)) return `ui-api/model-page/${run}?${new URLSearchParams({ artifact_file_path: path })}`;
    return `ui-api/page?${new URLSearchParams({ path, run_id: run })}`;
  }

  async bytes(run: string, path: string, start: number, end: number, signal?: AbortSignal) {
    const reply = await send(this.fileUrl(run, path), { headers: { range: `bytes=${start}-${end - 1}` }, signal: signal ?? null });
    const range = /\/(\d+)$/.exec(reply.headers.get("content-range") ?? "");
    if (reply.status === 206) {
      return { body: new Uint8Array(await reply.arrayBuffer()), size: range ? Number(range[1]) : null };
    }
    // No ranges there: no more is read than was asked for.
    const length = reply.headers.get("content-length");
    return { body: await upTo(reply, start, end), size: length ? Number(length) : null };
  }

  async loggedModels(experiments: readonly string[], run: string, signal?: AbortSignal): Promise<LoggedModel[]> {
    const body = { experiment_ids: experiments, max_results: 100, ...(run ? { filter: `source_run_id = ${text(run)}` } : {}) };
    const found = await post<{ models?: WireModel[] }>("logged-models/search", body, signal);
    return (found.models ?? []).map(readLogged);
  }

  async loggedModel(id: string, signal?: AbortSignal): Promise<LoggedModel> {
    return readLogged((await get<{ model: WireModel }>(`logged-models/${encodeURIComponent(id)}`, {}, signal)).model);
  }

  async registeredModels(find: string, signal?: AbortSignal): Promise<RegisteredModel[]> {
    const query: Record<string, string> = { max_results: "1000" };
    if (find) query["filter"] = `name ILIKE ${text(`%${find}%`)}`;
    const found = await get<{ registered_models?: Partial<RegisteredModel>[] }>("registered-models/search", query, signal);
    return (found.registered_models ?? []).map(readModel);
  }

  async registeredModel(name: string, signal?: AbortSignal): Promise<RegisteredModel> {
    return readModel((await get<{ registered_model: Partial<RegisteredModel> }>("registered-models/get", { name }, signal)).registered_model);
  }

  async versions(filter: string, signal?: AbortSignal): Promise<ModelVersion[]> {
    const query: Record<string, string> = { max_results: "1000" };
    if (filter) query["filter"] = filter;
    const found = await get<{ model_versions?: Partial<ModelVersion>[] }>("model-versions/search", query, signal);
    return (found.model_versions ?? []).map(readVersion);
  }

  rights(experiments: readonly string[], models: readonly string[], signal?: AbortSignal) {
    return ask<Rights>("rights", { experiments, models }, signal);
  }

  watch(experiments: readonly string[], hear: (news: Heard) => void) {
    return listen(experiments, hear);
  }

  async saveFile({ experiments, where, view, order_by }: Ask, place: string) {
    const init = { method: "POST", body: JSON.stringify({ experiments, where, view, order_by, place }), headers: { "content-type": "application/json" } };
    return (await send("ui-api/file", init)).blob();
  }

  async post(path: string, body: unknown, method: "POST" | "PATCH" | "DELETE" = "POST"): Promise<unknown> {
    const reply = await send(`${API}${path}`, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
    const told = await reply.text();
    writes.value += 1;
    return told ? JSON.parse(told) : {};
  }
}

/** Silent for so long (ms), a stream is taken for one that something on its way keeps back. */
const SILENCE = 25_000;
const TRY_AGAIN = 60_000;

/** A name for this browser: of its pages, one is told, as it opens few connections to one server. */
function browserName(): string {
  const name = keptText("browser") ?? crypto.getRandomValues(new Uint32Array(4)).join("").slice(0, 40);
  keepText("browser", name);
  return name;
}

function listen(experiments: readonly string[], hear: (news: Heard) => void): () => void {
  let stream: EventSource | null = null;
  let timer = 0;
  const later = (ms: number, work: () => void) => {
    clearTimeout(timer);
    timer = setTimeout(work, ms) as unknown as number;
  };
  const close = () => {
    clearTimeout(timer);
    stream?.close();
    hear("silent");
  };
  const giveUp = () => {
    close();
    later(TRY_AGAIN, open);
  };
  const open = () => {
    stream = new EventSource(`ui-api/changes?${new URLSearchParams({ experiments: experiments.join(","), browser: browserName() })}`);
    later(SILENCE, giveUp);
    const on = (name: string, work: () => void) => stream!.addEventListener(name, () => {
      later(SILENCE, giveUp);
      work();
    });
    on("beat", () => hear("listening"));
    on("change", () => hear("changed"));
    // Another page of this browser is told now; this one asks by itself.
    on("over", close);
    stream.onerror = () => {
      hear("silent");
      // A server that refused is not asked again by the browser itself.
      if (stream?.readyState === EventSource.CLOSED) giveUp();
    };
  };
  open();
  return close;
}

async function upTo(reply: Response, start: number, end: number): Promise<Uint8Array> {
  const reader = reply.body!.getReader();
  const parts: Uint8Array[] = [];
  let read = 0;
  while (read < end) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    read += value.length;
  }
  await reader.cancel();
  const all = new Uint8Array(Math.min(read, end));
  let at = 0;
  for (const part of parts) {
    all.set(part.subarray(0, Math.min(part.length, all.length - at)), at);
    at += part.length;
    if (at >= all.length) break;
  }
  return all.subarray(start);
}
