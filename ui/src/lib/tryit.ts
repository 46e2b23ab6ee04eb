// Requests for a scoring server: what a form has, in the form that the signature asks for.

import type { Field } from "./mlmodel.ts";

const NUMBERS = new Set(["double", "float", "long", "integer"]);

/** Whether a form can be made of inputs: named columns of plain values. */
export function isPlain(inputs: readonly Field[] | null): inputs is readonly Field[] {
  return !!inputs && inputs.length > 0 && inputs.length <= 60 && inputs.every((one) => NUMBERS.has(one.type) || ["string", "boolean", "datetime"].includes(one.type));
}

/** The value of a column as JSON has it; an error says what is wrong. */
function valueOf(field: Field, text: string): unknown {
  if (text.trim() === "") {
    if (field.required) throw new Error(`${field.name} is missing.`);
    return null;
  }
  if (NUMBERS.has(field.type)) {
    const value = Number(text);
    if (!Number.isFinite(value) || (/^(long|integer)$/.test(field.type) && !Number.isInteger(value))) throw new Error(`${field.name} has to be ${field.type === "long" || field.type === "integer" ? "a whole number" : "a number"}.`);
    return value;
  }
  if (field.type === "boolean") {
    if (!/^(true|false)$/i.test(text.trim())) throw new Error(`${field.name} has to be true or false.`);
    return text.trim().toLowerCase() === "true";
  }
  return text;
}

/** The body of a request for one row. */
export function requestOf(inputs: readonly Field[], values: Readonly<Record<string, string>>): string {
  return JSON.stringify({ dataframe_split: { columns: inputs.map((one) => one.name), data: [inputs.map((one) => valueOf(one, values[one.name] ?? ""))] } });
}

/** What stands in the text before anybody writes one. */
export function template(inputs: readonly Field[] | null): string {
  const zero = (one: Field) => (NUMBERS.has(one.type) ? 0 : one.type === "boolean" ? false : "");
  if (isPlain(inputs)) return JSON.stringify({ dataframe_split: { columns: inputs.map((one) => one.name), data: [inputs.map(zero)] } }, null, 1);
  return '{"inputs": []}';
}

/** The address to ask, and the origin that is reached for it; an error says what is wrong. */
export function addressOf(text: string): { origin: string; url: string } {
  let url: URL;
  try {
    url = new URL(/^https?:\/\//i.test(text.trim()) ? text.trim() : `http://${text.trim()}`);
  } catch {
    throw new Error("This is no address: write http://127.0.0.1:5001.");
  }
  if (url.username || url.password) throw new Error("Names and passwords have no place in this address.");
  const path = url.pathname.replace(/\/$/, "");
  return { origin: url.origin, url: `${url.origin}${path.endsWith("/invocations") ? path : `${path}/invocations`}` };
}
