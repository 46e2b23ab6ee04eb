// The grammar of filters where there is no server to read it: conditions with AND, OR, NOT and parentheses.

import { metric, spelled, type Cell } from "./format.ts";
import { tokens } from "./query.ts";

type Test = (cellOf: (column: string) => Cell) => boolean;

interface Piece {
  text: string;
  /** What a text or number stands for; undefined for words and signs. */
  value?: string | number;
}

const KINDS: Record<string, string> = {
  metric: "metrics", metrics: "metrics", param: "params", params: "params", parameters: "params", tag: "tags", tags: "tags",
  attribute: "attributes", attributes: "attributes", attr: "attributes", run: "attributes",
};

/** The column that a name means: `metrics.loss`, "tags.`a b`", `status`. */
function columnOf(name: string): string {
  const cut = name.indexOf(".");
  const kind = cut < 0 ? undefined : KINDS[name.slice(0, cut)];
  if (!kind) return `attributes.${name === "name" || name === "Name" ? "run_name" : name}`;
  const key = name.slice(cut + 1);
  const quote = key[0];
  const bare = quote === "`" ? key.slice(1, -1) : quote === '"' ? key.slice(1, -1).replaceAll('""', '"') : key;
  return `${kind}.${bare}`;
}

function pieces(text: string): Piece[] {
  return tokens(text).filter((one) => one.kind !== "space").map((one) => {
    if (one.kind === "text") return { text: one.text, value: one.text.slice(1, -1).replaceAll(one.text[0]! + one.text[0]!, one.text[0]!) };
    if (one.kind === "number" && Number.isFinite(Number(one.text))) return { text: one.text, value: Number(one.text) };
    return { text: one.text };
  });
}

function like(pattern: string, flags: string): RegExp {
  const escaped = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("%", "[^]*").replaceAll("_", "[^]");
  return new RegExp(`^${escaped}$`, flags);
}

/** Compares as numbers where a number was written, else as text; nothing is true of what is not there. */
function compare(cell: Cell, operator: string, value: string | number): boolean {
  if (cell === null || cell === undefined) return false;
  const [left, right] = typeof value === "number" ? [metric(cell) ?? spelled(cell), value] : [String(cell), value];
  if (left === null) return false;
  if (operator === "=" || operator === "==") return left === right;
  if (operator === "!=" || operator === "<>") return left !== right;
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  if (operator === ">") return left > right;
  return left >= right;
}

class Reader {
  private at = 0;
  private readonly all: Piece[];

  constructor(text: string) {
    this.all = pieces(text);
  }

  whole(): Test {
    const found = this.either();
    if (this.at < this.all.length) this.wrong();
    return found;
  }

  private either(): Test {
    const found = [this.every()];
    while (this.accept("OR")) found.push(this.every());
    return found.length === 1 ? found[0]! : (cellOf) => found.some((one) => one(cellOf));
  }

  private every(): Test {
    const found = [this.single()];
    while (this.accept("AND")) found.push(this.single());
    return found.length === 1 ? found[0]! : (cellOf) => found.every((one) => one(cellOf));
  }

  private single(): Test {
    if (this.accept("NOT")) {
      const inner = this.single();
      return (cellOf) => !inner(cellOf);
    }
    if (this.accept("(")) {
      const inner = this.either();
      this.expect(")");
      return inner;
    }
    const name = this.all[this.at];
    if (!name || !/^[\w`]/.test(name.text)) this.wrong();
    this.at += 1;
    return this.condition(columnOf(name!.text));
  }

  private condition(column: string): Test {
    if (this.accept("IS")) {
      const isNot = this.accept("NOT");
      this.expect("NULL");
      return (cellOf) => ((cellOf(column) ?? null) === null) !== isNot;
    }
    const isNot = this.accept("NOT");
    const turned = (test: Test): Test => (isNot ? (cellOf) => (cellOf(column) ?? null) !== null && !test(cellOf) : test);
    if (this.accept("IN")) {
      this.expect("(");
      const among = new Set<string>();
      do among.add(String(this.value())); while (this.accept(","));
      this.expect(")");
      return turned((cellOf) => among.has(String(cellOf(column) ?? "\0")));
    }
    if (this.accept("BETWEEN")) {
      const low = this.value();
      this.expect("AND");
      const high = this.value();
      return turned((cellOf) => compare(cellOf(column), ">=", low) && compare(cellOf(column), "<=", high));
    }
    for (const [word, flags] of [["LIKE", ""], ["ILIKE", "i"]] as const) {
      if (!this.accept(word)) continue;
      const pattern = like(String(this.value()), flags);
      return turned((cellOf) => pattern.test(String(cellOf(column) ?? "\0")));
    }
    const operator = this.all[this.at]?.text ?? "";
    if (isNot || !/^(==?|!=|<>|<=?|>=?)$/.test(operator)) this.wrong();
    this.at += 1;
    const value = this.value();
    return (cellOf) => compare(cellOf(column), operator, value);
  }

  private value(): string | number {
    const found = this.all[this.at]?.value;
    if (found === undefined) this.wrong();
    this.at += 1;
    return found!;
  }

  private accept(word: string): boolean {
    if (this.all[this.at]?.value !== undefined || this.all[this.at]?.text.toUpperCase() !== word) return false;
    this.at += 1;
    return true;
  }

  private expect(word: string): void {
    if (!this.accept(word)) this.wrong();
  }

  private wrong(): never {
    const before = this.all.slice(0, this.at).map((one) => one.text).join(" ");
    throw new Error(`Unexpected ${this.all[this.at] ? `“${this.all[this.at]!.text}”` : "end"} after “${before}”. Write metrics.loss < 0.5 AND params.lr = '0.1'.`);
  }
}

/**
 * What tells whether a run passes a filter.
 *
 * @throws Error for what is no filter.
 */
export function passes(text: string): Test {
  return text.trim() ? new Reader(text).whole() : () => true;
}
