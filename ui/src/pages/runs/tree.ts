// Nested runs: the rows of the table with the children of opened parents below them.

import { useMemo } from "preact/hooks";
import { useLoad } from "../../app/load.ts";
import { source } from "../../data/index.ts";
import type { Ask, Nested, Window } from "../../data/source.ts";
import type { Cell } from "../../lib/format.ts";
import { readRow, type Row, type Rows } from "./rows.ts";

const MOST_OPEN = 20;
const MOST_CHILDREN = 200;
const PARENT = "tags.`mlflow.parentRunId`";

/** The filter that leaves out the runs that stand below one of these parents. */
export function rootsOnly(parents: readonly string[]): string {
  if (!parents.length) return "";
  if (parents.length > 300) return `${PARENT} IS NULL`;
  return `NOT ${PARENT} IN (${parents.map((id) => `'${id}'`).join(", ")})`;
}

export interface Place {
  row: Row | null;
  cell: (column: string) => Cell;
  depth: number;
  /** The best of what is nested in it, by column. */
  best: (column: string) => Nested | null;
}

/** Rows and opened children as one list. */
export class Tree {
  readonly count: number;
  private readonly opened: { at: number; children: Window }[];

  constructor(private readonly rows: Rows, children: ReadonlyMap<string, Window>) {
    this.opened = [...children].map(([id, window]) => ({ at: rows.indexOf(id), children: window }))
      .filter((one) => one.at >= 0 && one.children.count > 0).sort((a, b) => a.at - b.at);
    this.count = rows.count + this.opened.reduce((sum, one) => sum + one.children.count, 0);
  }

  place(index: number): Place {
    let before = 0;
    for (const { at, children } of this.opened) {
      const first = at + before + 1;
      if (index < first) break;
      if (index < first + children.count) {
        const inside = index - first;
        return { row: readRow(children, inside), cell: (column) => children.columns[column]?.[inside], depth: 1, best: () => null };
      }
      before += children.count;
    }
    const own = index - before;
    return { row: this.rows.row(own), cell: (column) => this.rows.cell(own, column), depth: 0, best: (column) => this.rows.best(own, column) };
  }

  /** The rows of the table itself between two places of the list. */
  span(from: number, to: number): [number, number] {
    const extra = this.opened.reduce((sum, one) => sum + one.children.count, 0);
    return [Math.max(0, from - extra), to];
  }
}

/** The tree, whose opened parents are kept up to date. */
export function useTree(rows: Rows, question: Ask, open: readonly string[], columns: readonly string[]): Tree {
  const ids = open.slice(0, MOST_OPEN);
  const loaded = useLoad(
    ids.length ? `children ${JSON.stringify([question.experiments, question.view, ids, columns])}` : null,
    async (signal) => {
      const found = await Promise.all(ids.map((id) => source.runs({ ...question, where: `${PARENT} = '${id.replaceAll("'", "''")}'` }, columns, 0, MOST_CHILDREN, signal)));
      return new Map(ids.map((id, at) => [id, found[at]!]));
    },
    4000,
  );
  const version = rows.version.value;
  const children = ids.length ? loaded.data : undefined;
  return useMemo(() => {
    const shown = new Map([...(children ?? [])].filter(([id]) => ids.includes(id)));
    return new Tree(rows, shown);
  }, [rows, version, children, ids.join()]);
}
