// The filter line: what is being typed, what may come next, and plain words as a search by name.

import { quoted, type Summary } from "./columns.ts";

export interface Completion {
  /** What is shown. */
  label: string;
  /** What is inserted. */
  insert: string;
  detail: string;
}

export interface Completions {
  /** The part of the text that is replaced. */
  from: number;
  to: number;
  options: Completion[];
}

interface Token {
  kind: "word" | "text" | "number" | "sign" | "space";
  text: string;
  start: number;
  end: number;
}

const TOKEN = /\s+|(?:[\w]+\.)?`[^`]*`?|[A-Za-z_][\w]*\.(?:"(?:[^"]|"")*"?|[\w./:-]*)|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|[-+]?[\d.]+(?:[eE][-+]?\d+)?|\w+|[<>=!]+|./g;

export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const piece = match[0];
    const first = piece[0]!;
    const kind = /\s/.test(first) ? "space"
      : first === "'" || first === '"' ? "text"
      : /[\d.+-]/.test(first) ? "number"
      : /[\w`]/.test(first) ? "word" : "sign";
    found.push({ kind, text: piece, start: match.index, end: match.index + piece.length });
  }
  return found;
}

const OPERATOR = /^(=|!=|<>|<|>|<=|>=|LIKE|ILIKE|IN|IS|NOT|BETWEEN)$/i;
const JOINS = /^(AND|OR|NOT|\()$/i;

/** Whether the text is meant as words to look for, not as a condition. */
export function isPlain(text: string): boolean {
  const trimmed = text.trim();
  if (!trimmed) return false;
  const parts = tokens(trimmed).filter((one) => one.kind !== "space");
  return !parts.some((one) => one.kind === "sign" && /[<>=!]/.test(one.text)) &&
    !parts.some((one) => one.kind === "word" && /^(LIKE|ILIKE|IN|IS|BETWEEN)$/i.test(one.text) && parts.length > 2);
}

/** The filter that the server is asked: plain words look for the name of a run. */
export function filterOf(text: string): string {
  const trimmed = text.trim();
  if (!isPlain(trimmed)) return trimmed;
  const pattern = trimmed.replace(/^["']|["']$/g, "").replaceAll("'", "''");
  if (/^[0-9a-f]{32}$/.test(pattern)) return `attributes.run_id = '${pattern}'`;
  return `attributes.run_name ILIKE '%${pattern}%'`;
}

/** Both conditions; empty ones do not count. */
export function both(first: string, second: string): string {
  if (!first.trim()) return second;
  if (!second.trim()) return first;
  return `(${first}) AND (${second})`;
}

/** A condition that a column has a value. */
export function condition(kind: string, key: string, operator: string, value: string | number): string {
  const right = typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
  return `${kind}.${quoted(key)} ${operator} ${right}`;
}

const ATTRIBUTES: [string, string][] = [
  ["attributes.run_name", "name"], ["attributes.status", "RUNNING, FINISHED, FAILED, KILLED"],
  ["attributes.start_time", "ms since 1970"], ["attributes.end_time", "ms since 1970"],
  ["attributes.user_id", "who started it"], ["attributes.run_id", "id"], ["datasets.name", "input"],
];

/** What could stand at the caret. */
export function complete(text: string, caret: number, summary: Summary | null): Completions {
  const before = tokens(text).filter((one) => one.start < caret);
  const last = before.at(-1);
  const typing = last && last.kind !== "space" && last.end >= caret ? last : undefined;
  const done = before.filter((one) => one !== typing && one.kind !== "space");
  const previous = done.at(-1);
  const from = typing && typing.kind !== "sign" ? typing.start : caret;
  const typed = typing && typing.kind !== "sign" ? text.slice(typing.start, caret) : "";
  const wanted = typed.toLowerCase();
  const done2 = done.at(-2);
  const isOperator = (one: Token | undefined) => !!one && (OPERATOR.test(one.text));
  if (previous && isOperator(previous) && !/^NOT$/i.test(previous.text)) {
    return { from, to: caret, options: values(keyBefore(done), wanted.replace(/^['"]/, ""), summary) };
  }
  if (previous?.kind === "word" && !JOINS.test(previous.text) && !isOperator(done2) && !/^AND|OR$/i.test(previous.text)) {
    return { from, to: caret, options: operators(previous.text, wanted) };
  }
  const ended = previous && (previous.kind === "text" || previous.kind === "number" || previous.text === ")" || isOperator(done2));
  if (ended && !JOINS.test(previous.text)) {
    const words = ["AND ", "OR "].map((word) => ({ label: word.trim(), insert: word, detail: "" }));
    return { from, to: caret, options: words.filter((one) => one.insert.toLowerCase().startsWith(wanted)) };
  }
  return { from, to: caret, options: keys(wanted, summary) };
}

function keyBefore(done: Token[]): string {
  for (let at = done.length - 1; at >= 0; at--) {
    const one = done[at]!;
    if (one.kind === "word" && !OPERATOR.test(one.text)) return one.text;
  }
  return "";
}

function keys(wanted: string, summary: Summary | null): Completion[] {
  const all: Completion[] = [
    ...(summary?.metrics ?? []).map((one) => key("metrics", one.key, range(one.min, one.max))),
    ...(summary?.params ?? []).map((one) => key("params", one.key, one.values.slice(0, 3).map(([value]) => value).join(", "))),
    ...(summary?.tags ?? []).filter((one) => !one.key.startsWith("mlflow.log-model")).map((one) => key("tags", one.key, one.values.slice(0, 2).map(([value]) => value.slice(0, 30)).join(", "))),
    ...ATTRIBUTES.map(([name, detail]) => ({ label: name, insert: `${name} `, detail })),
  ];
  if (!wanted) return all.slice(0, 200);
  const plain = wanted.replace(/[`"]/g, "");
  const score = (label: string) => {
    const lower = label.toLowerCase();
    const tail = lower.slice(lower.indexOf(".") + 1);
    return lower.startsWith(plain) || tail.startsWith(plain) ? 0 : lower.includes(plain) ? 1 : 9;
  };
  return all.map((one) => [score(one.label), one] as const).filter(([points]) => points < 9)
    .sort((a, b) => a[0] - b[0]).map(([, one]) => one).slice(0, 50);
}

function key(kind: string, name: string, detail: string): Completion {
  return { label: `${kind}.${name}`, insert: `${kind}.${quoted(name)} `, detail };
}

function range(low: number | null, high: number | null): string {
  if (low === null || high === null) return "";
  const short = (value: number) => Number(value.toPrecision(3)).toString();
  return low === high ? short(low) : `${short(low)} – ${short(high)}`;
}

function operators(name: string, wanted: string): Completion[] {
  const isNumber = /^metrics?\./i.test(name) || /_time$/.test(name);
  const known: [string, string][] = isNumber
    ? [[">", "greater"], [">=", "at least"], ["<", "less"], ["<=", "at most"], ["=", "equal"], ["!=", "other than"], ["BETWEEN", "… AND …"], ["IS NOT NULL", "has one"], ["IS NULL", "has none"]]
    : [["=", "equal"], ["!=", "other than"], ["IN", "('a', 'b')"], ["LIKE", "'%part%'"], ["ILIKE", "any case"], ["IS NOT NULL", "has one"], ["IS NULL", "has none"]];
  return known.filter(([sign]) => sign.toLowerCase().startsWith(wanted))
    .map(([sign, detail]) => ({ label: sign, insert: `${sign} `, detail }));
}

function values(name: string, wanted: string, summary: Summary | null): Completion[] {
  const dot = name.indexOf(".");
  const bare = name.slice(dot + 1).replace(/^[`"]|[`"]$/g, "");
  let known: [string, string][] = [];
  if (/status$/.test(name)) known = ["FINISHED", "RUNNING", "FAILED", "KILLED"].map((one) => [one, String(summary?.status[one] ?? "")]);
  else if (/^params?\./i.test(name)) known = pairs(summary?.params.find((one) => one.key === bare)?.values);
  else if (/^tags?\./i.test(name)) known = pairs(summary?.tags.find((one) => one.key === bare)?.values);
  else if (/user_id$/.test(name)) known = (summary?.users ?? []).map((one) => [one, ""]);
  return known.filter(([value]) => value.toLowerCase().includes(wanted)).slice(0, 50)
    .map(([value, detail]) => ({ label: value, insert: `'${value.replaceAll("'", "''")}' `, detail: detail && `${detail}×` }));
}

function pairs(found: [string, number][] | undefined): [string, string][] {
  return (found ?? []).map(([value, count]) => [value, String(count)]);
}
