// Reads what a page shows of an `MLmodel` file: its flavors and its signature. Not YAML in general.

import type { Cell } from "./format.ts";

export interface Field {
  name: string;
  type: string;
  required: boolean;
}

export interface ModelInfo {
  flavors: string[];
  inputs: Field[] | null;
  outputs: Field[] | null;
  params: Field[] | null;
  id: string;
  created: string;
  version: string;
  example: boolean;
}

/** A quoted or plain scalar that may go over several lines, as YAML folds it. */
export function scalar(lines: readonly string[], at: number, value: string): string {
  const quote = value[0];
  if (quote !== "'" && quote !== '"') return value;
  let text = value.slice(1);
  // The closing quote is one that is neither doubled (in single quotes) nor escaped (in double ones).
  const closes = (one: string) => {
    const end = /(['"]*)\s*$/.exec(one)?.[1] ?? "";
    if (quote === "'") return (/'*$/.exec(end)?.[0].length ?? 0) % 2 === 1;
    return /(^|[^\\])(\\\\)*"\s*$/.test(one);
  };
  let next = at + 1;
  while (!closes(text) && next < lines.length) {
    const line = lines[next]!.trim();
    text = quote === '"' && text.endsWith("\\") ? text.slice(0, -1) + line.replace(/^\\/, "") : line === "" ? `${text}\n` : `${text}${text.endsWith("\n") ? "" : " "}${line}`;
    next++;
  }
  text = text.replace(/\s*$/, "").slice(0, -1);
  return quote === "'" ? text.replaceAll("''", "'") : text.replace(/\\(["\\/])/g, "$1");
}

export function readModel(text: string): ModelInfo {
  const lines = text.slice(0, 2_000_000).split("\n");
  const info: ModelInfo = { flavors: [], inputs: null, outputs: null, params: null, id: "", created: "", version: "", example: false };
  let section = "";
  lines.forEach((line, at) => {
    const match = /^(\s*)([\w.\-]+):\s*(.*)$/.exec(line);
    if (!match) return;
    const [, indent, key, value] = match as unknown as [string, string, string, string];
    if (!indent) {
      section = key;
      if (key === "model_uuid" || key === "model_id") info.id = scalar(lines, at, value);
      if (key === "utc_time_created") info.created = scalar(lines, at, value);
      if (key === "mlflow_version") info.version = scalar(lines, at, value);
      if (key === "saved_input_example_info" && value !== "null") info.example = true;
    } else if (indent.length === 2) {
      if (section === "flavors") info.flavors.push(key);
      if (section === "signature" && (key === "inputs" || key === "outputs" || key === "params")) info[key] = fields(scalar(lines, at, value));
    }
  });
  return info;
}

function fields(text: string): Field[] | null {
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found)) return null;
    return found.slice(0, 2000).map((one: Record<string, unknown>, at) => ({
      name: typeof one["name"] === "string" ? one["name"] : `${at}`,
      type: typeName(one),
      required: one["required"] !== false && one["optional"] !== true,
    }));
  } catch {
    return null;
  }
}

function typeName(one: Record<string, unknown>): string {
  const type = String(one["type"] ?? one["dtype"] ?? "");
  const tensor = one["tensor-spec"] as { dtype?: string; shape?: unknown[] } | undefined;
  if (type === "tensor" && tensor) return `${tensor.dtype ?? ""}${tensor.shape ? ` [${tensor.shape.map((size) => (size === -1 ? "?" : String(size))).join(", ")}]` : ""}`;
  if (type === "array" && one["items"]) return `array of ${typeName(one["items"] as Record<string, unknown>)}`;
  if (type === "object" && one["properties"]) return `object { ${Object.keys(one["properties"] as object).join(", ")} }`;
  return type;
}

/** What files are asked of, and the folder there. */
export interface ModelPlace {
  id: string;
  folder: string;
}

/** Where the files of a version are: in its run, or in a logged model; null when nothing here can say. */
export function placeOf(version: { source: string; run_id: string; model_id: string }): ModelPlace | null {
  const uri = /^runs:\/+([^/]+)\/(.+)$/.exec(version.source);
  if (uri && uri[1] === version.run_id) return { id: version.run_id, folder: uri[2]!.replace(/\/$/, "") };
  const mark = `/${version.run_id}/artifacts/`;
  const at = version.run_id ? version.source.indexOf(mark) : -1;
  if (!uri && at >= 0) return { id: version.run_id, folder: version.source.slice(at + mark.length).replace(/\/$/, "") };
  const logged = version.model_id || /(?:^models:\/|\/)(m-[0-9a-f]{32})(?:\/artifacts)?\/?$/.exec(version.source)?.[1];
  return logged ? { id: logged, folder: "" } : null;
}

interface Version {
  version: string;
  run_id: string;
  aliases: string[];
  current_stage: string;
  creation_timestamp: number;
}

/** Columns for comparing versions: a cell for each, of what they are, what their runs have, what they take and need. */
export function versionColumns(versions: readonly Version[], ofRuns: Record<string, Cell[]>, known: readonly { info: ModelInfo | null; packages: Map<string, string> | null }[]): Record<string, Cell[]> {
  const places = versions.map((one) => (ofRuns["attributes.run_id"] ?? []).indexOf(one.run_id));
  const found: Record<string, Cell[]> = {
    "version.aliases": versions.map((one) => one.aliases.map((alias) => `@${alias}`).join(" ") || null),
    "version.stage": versions.map((one) => (one.current_stage === "None" ? null : one.current_stage)),
    "version.made": versions.map((one) => one.creation_timestamp),
    "version.run": places.map((at) => (at < 0 ? null : ofRuns["attributes.run_name"]?.[at])),
    "version.flavors": known.map((one) => one.info?.flavors.join(", ") ?? null),
  };
  for (const [id, cells] of Object.entries(ofRuns)) if (/^(metrics|params)\./.test(id)) found[id] = places.map((at) => (at < 0 ? null : cells[at]));
  const rows = (kind: string, of: (one: (typeof known)[number]) => Iterable<readonly [string, string]>) => {
    const own = known.map((one) => new Map(of(one)));
    for (const key of new Set(own.flatMap((one) => [...one.keys()]))) found[`${kind}.${key}`] = own.map((one) => one.get(key) ?? null);
  };
  const typed = (fields: Field[] | null | undefined) => (fields ?? []).map((one) => [one.name, one.required ? one.type : `${one.type}, optional`] as const);
  rows("inputs", (one) => typed(one.info?.inputs));
  rows("outputs", (one) => typed(one.info?.outputs));
  rows("packages", (one) => one.packages ?? []);
  return found;
}
