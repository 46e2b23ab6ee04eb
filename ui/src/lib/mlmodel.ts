// Reads what a page shows of an `MLmodel` file: its flavors and its signature. Not YAML in general.

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
