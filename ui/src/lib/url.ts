// The address is the state: a path and named values behind `#`, as in MLflow's own links.

export interface Place {
  path: string[];
  query: Record<string, string>;
}

const MAX_LENGTH = 200_000;
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

export function readPlace(hash: string): Place {
  const text = hash.startsWith("#") ? hash.slice(1) : hash;
  const cut = text.length > MAX_LENGTH ? "" : text;
  const mark = cut.indexOf("?");
  const path = (mark < 0 ? cut : cut.slice(0, mark)).split("/").filter(Boolean).map(decoded);
  const query: Record<string, string> = {};
  if (mark >= 0) {
    for (const [key, value] of new URLSearchParams(cut.slice(mark + 1))) {
      if (!FORBIDDEN.has(key)) query[key] = value;
    }
  }
  return { path, query };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The part behind `#`; empty values are left out, so a plain state has a plain address. */
export function writePlace(path: readonly string[], query: Record<string, string | undefined> = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const tail = pairs.map(([key, value]) => `${encodeURIComponent(key)}=${readable(value!)}`).join("&");
  return `#/${path.map((part) => encodeURIComponent(part).replaceAll("%2C", ",")).join("/")}${tail ? `?${tail}` : ""}`;
}

/** Encoded no more than it must be, so that people can read and edit their addresses. */
function readable(value: string): string {
  return encodeURIComponent(value)
    .replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%20", "+");
}

/** A list of ids or keys in one value; commas and tildes in them are escaped. */
export function list(values: readonly string[]): string {
  return values.map((one) => one.replaceAll("~", "~0").replaceAll(",", "~1")).join(",");
}

export function readList(text: string | undefined): string[] {
  if (!text) return [];
  return text.split(",").map((one) => one.replaceAll("~1", ",").replaceAll("~0", "~")).filter(Boolean);
}

/** Where an address of MLflow's own pages leads here; null when it is already one of ours. */
export function fromMlflow(place: Place): string | null {
  const [first, second, third, fourth, ...rest] = place.path;
  if (first === "experiments" && second && third === "runs" && fourth) {
    const tab = rest[0] === "model-metrics" || rest[0] === "system-metrics" ? "charts" : null;
    if (tab) return writePlace(["experiments", second, "runs", fourth, tab]);
    return null;
  }
  if (first === "compare-runs") {
    const runs = jsonList(place.query["runs"]);
    const experiments = jsonList(place.query["experiments"]);
    if (runs.length) return writePlace(["compare"], { runs: list(runs), experiments: list(experiments) });
  }
  if (first === "compare-experiments") {
    const experiments = jsonList(place.query["experiments"]);
    if (experiments.length) return writePlace(["experiments", experiments.join(",")]);
  }
  if (first === "metric" && second) {
    return writePlace(["compare"], { runs: list(jsonList(place.query["runs"])), tab: "charts", find: second });
  }
  return null;
}

function jsonList(text: string | undefined): string[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}
