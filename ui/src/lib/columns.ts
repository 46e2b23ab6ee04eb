// Columns of the runs table: their names, how they are shown, and which are shown at first.

/** `lowest` and `highest` are those of all that a run ever had of a metric; the key of `at` is a step and a metric. */
export type Kind = "attributes" | "metrics" | "lowest" | "highest" | "at" | "params" | "tags";

const KINDS: readonly string[] = ["attributes", "metrics", "lowest", "highest", "at", "params", "tags"];

export interface Column {
  /** `metrics.val/loss`: what the server calls it. */
  id: string;
  kind: Kind;
  key: string;
  label: string;
  width: number;
  /** Numbers are set to the right. */
  numeric: boolean;
}

export interface MetricInfo {
  key: string;
  n: number;
  min: number | null;
  max: number | null;
  /** How many runs have the least and the greatest. */
  ties?: [number, number];
}

export interface TextInfo {
  key: string;
  n: number;
  distinct: number;
  numeric: boolean;
  values: [string, number][];
}

export interface Summary {
  total: number;
  complete: boolean;
  capped: boolean;
  status: Record<string, number>;
  users: string[];
  children: Record<string, number>;
  metrics: MetricInfo[];
  params: TextInfo[];
  tags: TextInfo[];
}

export const ATTRIBUTES: Record<string, { label: string; width: number; numeric?: boolean }> = {
  start_time: { label: "Started", width: 104 },
  duration: { label: "Duration", width: 92, numeric: true },
  status: { label: "Status", width: 104 },
  user_id: { label: "User", width: 96 },
  run_id: { label: "Run ID", width: 130 },
  experiment_id: { label: "Experiment", width: 150 },
  end_time: { label: "Ended", width: 104 },
  artifact_size: { label: "Artifacts", width: 96, numeric: true },
};

const TAG_LABELS: Record<string, string> = {
  "mlflow.source.name": "Source",
  "mlflow.source.git.commit": "Commit",
  "mlflow.source.git.branch": "Branch",
  "mlflow.note.content": "Description",
  "millstream.error.type": "Error",
  "millstream.error.message": "Error message",
};

export const MAX_FIRST_METRICS = 8;
export const MAX_FIRST_PARAMS = 10;

export function split(id: string): [Kind, string] | null {
  const dot = id.indexOf(".");
  const kind = id.slice(0, dot);
  if (dot < 0 || !KINDS.includes(kind)) return null;
  return [kind as Kind, id.slice(dot + 1)];
}

/** The column of a name; null for a name that is none. */
export function column(id: string, summary?: Summary | null, widths: Record<string, number> = {}): Column | null {
  const parts = split(id);
  if (!parts) return null;
  const [kind, key] = parts;
  // Keys are anybody's: `constructor` is one that every object has.
  if (kind === "attributes" && !Object.hasOwn(ATTRIBUTES, key)) return null;
  const attribute = kind === "attributes" ? ATTRIBUTES[key] : undefined;
  const metric = metricOf(id);
  const label = attribute?.label ?? metric ?? (kind === "tags" ? ((Object.hasOwn(TAG_LABELS, key) ? TAG_LABELS[key] : undefined) ?? key) : key);
  const info = kind === "params" ? summary?.params.find((one) => one.key === key) : undefined;
  const numeric = metric !== null || !!attribute?.numeric || !!info?.numeric;
  const natural = attribute?.width ?? Math.min(230, Math.max(metric !== null ? 92 : 84, 34 + shortName(label).length * 7.2, 22 + longest(info) * 6.8));
  return { id, kind, key, label, numeric, width: Math.max(48, widths[id] ?? Math.round(natural)) };
}

/** Whether a column shows the least or the greatest value of a metric. */
export function isExtreme(id: string): boolean {
  return id.startsWith("lowest.") || id.startsWith("highest.");
}

/** The metric that a column shows, whichever of its values; null for columns of something else. */
export function metricOf(id: string): string | null {
  const [kind, key] = split(id) ?? ["tags", ""];
  if (kind === "metrics" || kind === "lowest" || kind === "highest") return key;
  return kind === "at" ? (/^-?\d+\.(.+)$/s.exec(key)?.[1] ?? null) : null;
}

/** The step of a column that shows the value at one. */
export function stepOf(id: string): string | null {
  return /^at\.(-?\d+)\./.exec(id)?.[1] ?? null;
}

/** Whether a column is looked up for rows that are shown, and says nothing of groups. */
export function isSingle(id: string): boolean {
  return isExtreme(id) || stepOf(id) !== null || id === "attributes.artifact_size";
}

/** What stands behind the last slash of a key; what stands before it is shown small. */
export function shortName(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1) || key;
}

function longest(info: TextInfo | undefined): number {
  return Math.max(0, ...(info?.values ?? []).map(([text]) => text.length));
}

/** Tags that are shown to people: those of MLflow itself are not. */
export function isOwnTag(key: string): boolean {
  return !key.startsWith("mlflow.") && !key.startsWith("millstream.");
}

/** What is shown until somebody chooses: when, how long, the metrics, the params that differ. */
export function firstColumns(summary: Summary, severalExperiments: boolean): string[] {
  const differing = summary.params.filter((one) => one.distinct > 1);
  const metrics = [...summary.metrics].filter((one) => !one.key.startsWith("system/"));
  const most = Math.max(0, ...metrics.map((one) => one.n));
  // Many keys that differ in a number only (classes, layers, folds) stand behind the others.
  const families = new Map<string, number>();
  for (const { key } of metrics) families.set(family(key), (families.get(family(key)) ?? 0) + 1);
  const crowd = (one: MetricInfo) => Number((families.get(family(one.key)) ?? 0) > 3);
  const shown = metrics.filter((one) => one.n * 4 >= most).sort((a, b) => crowd(a) - crowd(b) || byWorth(a, b)).slice(0, MAX_FIRST_METRICS);
  return [
    ...(severalExperiments ? ["attributes.experiment_id"] : []),
    "attributes.start_time",
    "attributes.duration",
    ...shown.map((one) => `metrics.${one.key}`),
    ...differing.slice(0, MAX_FIRST_PARAMS).map((one) => `params.${one.key}`),
    ...summary.tags.filter((one) => isOwnTag(one.key) && one.distinct > 1).slice(0, 4).map((one) => `tags.${one.key}`),
  ];
}

/** What is known of runs from their first rows alone, until all of them were looked at. */
export function summaryOf(columns: Record<string, readonly unknown[]>, count: number): Summary {
  const found: Summary = { total: count, complete: false, capped: false, status: {}, users: [], children: {}, metrics: [], params: [], tags: [] };
  for (const [id, cells] of Object.entries(columns)) {
    const parts = split(id);
    if (!parts) continue;
    const [kind, key] = parts;
    const there = cells.filter((cell) => cell !== null && cell !== undefined);
    if (kind === "metrics") {
      const numbers = there.filter((cell): cell is number => typeof cell === "number");
      found.metrics.push({ key, n: there.length, min: numbers.length ? Math.min(...numbers) : null, max: numbers.length ? Math.max(...numbers) : null });
    } else if ((kind === "params" || kind === "tags") && key !== "mlflow.parentRunId") {
      const texts = there.map(String);
      const counts = new Map<string, number>();
      for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
      const numeric = texts.length > 0 && texts.every((text) => text.trim() !== "" && Number.isFinite(Number(text)));
      found[kind].push({ key, n: there.length, distinct: counts.size + Number(there.length < count), numeric, values: [...counts].slice(0, 25) });
    }
  }
  for (const list of [found.metrics, found.params, found.tags]) list.sort((a, b) => (a.key < b.key ? -1 : 1));
  return found;
}

/** How likely people aim at a metric: what is measured on held-out data comes before the rest. */
export function worth(key: string): number {
  return (
    (/(^|[/_.-])(val|valid|validation|test|eval|holdout)([/_.-]|$)/i.test(key) ? 4 : 0) +
    (/(^|[/_.-])(acc|accuracy|auc|f1|rmse|loss|r2|score|mae|map|bleu|perplexity)([/_.-]|$)/i.test(key) ? 2 : 0) -
    (/(^|[/_.-])train(ing)?([/_.-]|$)/i.test(key) ? 1 : 0) - (/\d$/.test(key) && !/f1$|r2$/i.test(key) ? 1 : 0)
  );
}

function family(key: string): string {
  return key.replace(/\d+/g, "#");
}

function byWorth(a: MetricInfo, b: MetricInfo): number {
  return worth(b.key) - worth(a.key) || (a.key < b.key ? -1 : 1);
}

/** The metric that people most likely aim at. */
export function goalOf(summary: Summary): string | null {
  const own = summary.metrics.filter((one) => !one.key.startsWith("system/"));
  const found = [...own].sort((a, b) => worth(b.key) - worth(a.key) || b.n - a.n || (a.key < b.key ? -1 : 1))[0];
  return found ? `metrics.${found.key}` : null;
}

/** Params that have one value in every run: folded into one line. */
export function constants(summary: Summary): { key: string; value: string }[] {
  return summary.params
    .filter((one) => one.distinct === 1)
    .map((one) => ({ key: one.key, value: one.values[0]?.[0] ?? "" }));
}

const DOWN = /(^|[/_\-. ])(loss|err|error|rmse|mse|mae|mape|perplexity|ppl|cer|wer|fid|latency|time|seconds|duration|nll|logloss|bce|kl|regret|cost)(s|_s|_ms)?([/_\-. \d]|$)/i;

/** Whether less is better: guessed from the name, until somebody says. */
export function isDown(key: string, chosen: Record<string, "up" | "down"> = {}): boolean {
  const said = Object.hasOwn(chosen, key) ? chosen[key] : undefined;
  return (said ?? (DOWN.test(key) ? "down" : "up")) === "down";
}

/** Directions as they are kept; what is damaged counts as nothing said. */
export function readDirections(text: string): Record<string, "up" | "down"> {
  const found: Record<string, "up" | "down"> = {};
  try {
    const value: unknown = JSON.parse(text);
    if (value && typeof value === "object") {
      for (const [key, one] of Object.entries(value)) if ((one === "up" || one === "down") && key !== "__proto__") found[key] = one;
    }
  } catch {
    // Somebody else's tag.
  }
  return found;
}

/** An order term for the server: keys are quoted, as they may hold anything. */
export function orderTerm(id: string, descending: boolean): string | null {
  const parts = split(id);
  if (!parts) return null;
  const [kind, key] = parts;
  const direction = descending ? "DESC" : "ASC";
  if (isExtreme(id)) return `metrics.${key.includes("`") ? `"${key.replaceAll('"', '""')}"` : `\`${key}\``}.${kind === "lowest" ? "min" : "max"} ${direction}`;
  if (isSingle(id)) return null;
  if (kind === "attributes") {
    return key === "duration" ? null : `attributes.${key} ${direction}`;
  }
  return `${kind}.${quoted(key)} ${direction}`;
}

export function quoted(key: string): string {
  return /^[A-Za-z_][\w]*$/.test(key) ? key : key.includes("`") ? `"${key.replaceAll('"', '""')}"` : `\`${key}\``;
}
