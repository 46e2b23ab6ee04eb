// What differs between runs, and by how much.

import { metric, spelled, type Cell } from "./format.ts";
import type { Kind } from "./columns.ts";

export interface DiffRow {
  id: string;
  kind: Kind | "packages" | "inputs" | "outputs" | "version";
  key: string;
  cells: Cell[];
  differs: boolean;
}

const ORDER: DiffRow["kind"][] = ["version", "metrics", "params", "inputs", "outputs", "attributes", "tags", "packages"];
const HIDDEN = new Set(["attributes.run_id", "attributes.run_name", "attributes.lifecycle_stage", "tags.mlflow.runName", "tags.mlflow.user"]);
const NEVER_ALIKE = new Set(["attributes.start_time", "attributes.end_time", "attributes.duration", "version.made"]);

/** Whether two cells say the same: numbers by value, so that `0.10` is `0.1`. */
export function same(a: Cell, b: Cell): boolean {
  if (a === b || (a ?? null) === (b ?? null)) return true;
  const [x, y] = [metric(a) ?? spelled(a), metric(b) ?? spelled(b)];
  return x !== null && y !== null && (x === y || (Number.isNaN(x) && Number.isNaN(y)));
}

/** A row for each key that the runs have. */
export function diffRows(columns: Record<string, Cell[]>): DiffRow[] {
  const found: DiffRow[] = [];
  for (const [id, cells] of Object.entries(columns)) {
    const cut = id.indexOf(".");
    if (HIDDEN.has(id)) continue;
    found.push({
      id, kind: id.slice(0, cut) as DiffRow["kind"], key: id.slice(cut + 1), cells,
      // Times always differ: they do not count as a difference between runs of one kind.
      differs: !NEVER_ALIKE.has(id) && cells.some((cell) => !same(cell, cells[0])),
    });
  }
  return found.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.key < b.key ? -1 : 1));
}

/** The change against a base in per cent: `+3.2 %`; empty where there is none to tell. */
export function change(value: number | null, base: number | null): string {
  if (value === null || base === null || !Number.isFinite(value) || !Number.isFinite(base) || value === base) return "";
  if (base === 0) return "";
  const percent = ((value - base) / Math.abs(base)) * 100;
  const size = Math.abs(percent);
  const text = size >= 1000 ? ">999" : size >= 100 ? size.toFixed(0) : size >= 10 ? size.toFixed(1) : size.toFixed(2);
  return `${percent > 0 ? "+" : "−"}${text} %`;
}

/** Datasets that some of the runs used and others did not, by name. */
export function datasetTrouble(datasets: readonly (readonly [string, string])[][]): string[] {
  const byName = new Map<string, Set<string>>();
  for (const own of datasets) {
    for (const [name, digest] of own) byName.set(name, (byName.get(name) ?? new Set()).add(digest));
  }
  return [...byName].filter(([, digests]) => digests.size > 1).map(([name]) => name);
}
