// Computed metrics: a small language of numbers, metrics and a few functions. Nothing in it can do anything but count.

export interface Expression {
  /** The metrics it speaks of. */
  keys: string[];
  /** Its value, given those of the metrics; NaN where one is missing. */
  value: (of: (key: string) => number) => number;
}

/** What cannot be read, and where. */
export class ExpressionError extends Error {
  constructor(message: string, readonly at: number) {
    super(message);
  }
}

type Token = { kind: "number" | "key" | "name" | "sign"; text: string; at: number };
type Node = (of: (key: string) => number) => number;

const FUNCTIONS: Record<string, [number, number, (...values: number[]) => number]> = {
  abs: [1, 1, Math.abs], sqrt: [1, 1, Math.sqrt], exp: [1, 1, Math.exp],
  log: [1, 1, Math.log], log10: [1, 1, Math.log10], log2: [1, 1, Math.log2],
  min: [1, 9, Math.min], max: [1, 9, Math.max],
};
const MAX_LENGTH = 400;
const MAX_DEPTH = 40;

/** Letters of which keys of metrics and words are made: a key ends where none of them follows. */
const WORD = /[\w.]/;

/**
 * Splits a text. Keys may hold slashes, minus signs and blanks: wherever a key that is known stands, the longest
 * one is meant, so that `val/loss - train/loss` is a difference of two metrics. Others are written in backquotes.
 */
function tokens(text: string, known: readonly string[]): Token[] {
  const found: Token[] = [];
  const longest = known.filter((key) => /\w/.test(key[0] ?? "")).sort((a, b) => b.length - a.length);
  for (let at = 0; at < text.length; ) {
    const letter = text[at]!;
    if (/\s/.test(letter)) {
      at++;
      continue;
    }
    if (letter === "`") {
      const end = text.indexOf("`", at + 1);
      if (end < 0) throw new ExpressionError("A backquote is not closed.", at);
      found.push({ kind: "key", text: text.slice(at + 1, end), at });
      at = end + 1;
      continue;
    }
    const key = longest.find((one) => text.startsWith(one, at) && !(WORD.test(one.at(-1)!) && WORD.test(text[at + one.length] ?? "")));
    const number = /^(\d+\.?\d*|\.\d+)(e[-+]?\d+)?(?![\w.])/i.exec(text.slice(at));
    if (key && !(number && number[0].length >= key.length)) {
      found.push({ kind: "key", text: key, at });
      at += key.length;
    } else if (number) {
      found.push({ kind: "number", text: number[0], at });
      at += number[0].length;
    } else if ("+-*/^(),".includes(letter)) {
      found.push({ kind: "sign", text: letter, at });
      at++;
    } else {
      const word = /^[A-Za-z_][\w.]*/.exec(text.slice(at));
      if (!word) throw new ExpressionError(`“${letter}” means nothing here.`, at);
      found.push({ kind: "name", text: word[0], at });
      at += word[0].length;
    }
  }
  return found;
}

class Reader {
  readonly keys = new Set<string>();
  private at = 0;
  private depth = 0;

  constructor(private readonly all: Token[], private readonly known: ReadonlySet<string>, private readonly length: number) {}

  whole(): Node {
    const node = this.sum();
    const rest = this.all[this.at];
    if (rest) throw new ExpressionError(`“${rest.text}” was not expected here.`, rest.at);
    return node;
  }

  private next(...signs: string[]): string | null {
    const token = this.all[this.at];
    if (token?.kind !== "sign" || !signs.includes(token.text)) return null;
    this.at++;
    return token.text;
  }

  private expect(sign: string): void {
    if (!this.next(sign)) throw new ExpressionError(`“${sign}” is missing.`, this.all[this.at]?.at ?? this.length);
  }

  private sum(): Node {
    if (++this.depth > MAX_DEPTH) throw new ExpressionError("Too deeply nested.", this.all[this.at]?.at ?? this.length);
    let left = this.product();
    for (let sign = this.next("+", "-"); sign; sign = this.next("+", "-")) {
      const [a, b] = [left, this.product()];
      left = sign === "+" ? (of) => a(of) + b(of) : (of) => a(of) - b(of);
    }
    this.depth--;
    return left;
  }

  private product(): Node {
    let left = this.signed();
    for (let sign = this.next("*", "/"); sign; sign = this.next("*", "/")) {
      const [a, b] = [left, this.signed()];
      left = sign === "*" ? (of) => a(of) * b(of) : (of) => a(of) / b(of);
    }
    return left;
  }

  private signed(): Node {
    let isMinus = false;
    for (let sign = this.next("-", "+"); sign; sign = this.next("-", "+")) isMinus = isMinus !== (sign === "-");
    const node = this.power();
    return isMinus ? (of) => -node(of) : node;
  }

  private power(): Node {
    const base = this.atom();
    if (!this.next("^")) return base;
    if (++this.depth > MAX_DEPTH) throw new ExpressionError("Too deeply nested.", this.length);
    const exponent = this.signed();
    this.depth--;
    return (of) => base(of) ** exponent(of);
  }

  private atom(): Node {
    const token = this.all[this.at];
    if (!token) throw new ExpressionError("Something is missing at the end.", this.length);
    this.at++;
    if (token.kind === "number") {
      const value = Number(token.text);
      return () => value;
    }
    if (token.kind === "key") {
      if (!this.known.has(token.text)) throw new ExpressionError(`No run here has the metric “${token.text}”.`, token.at);
      this.keys.add(token.text);
      return (of) => of(token.text);
    }
    if (token.text === "(") {
      const node = this.sum();
      this.expect(")");
      return node;
    }
    if (token.kind === "sign") throw new ExpressionError(`“${token.text}” was not expected here.`, token.at);
    return this.call(token);
  }

  private call(token: Token): Node {
    const found = Object.hasOwn(FUNCTIONS, token.text) ? FUNCTIONS[token.text] : undefined;
    if (!found) throw new ExpressionError(`“${token.text}” is neither a metric of these runs nor one of ${Object.keys(FUNCTIONS).join(", ")}.`, token.at);
    const [least, most, work] = found;
    this.expect("(");
    const given = [this.sum()];
    while (this.next(",")) given.push(this.sum());
    this.expect(")");
    if (given.length < least || given.length > most) throw new ExpressionError(`${token.text} takes ${least === most ? least : `${least} to ${most}`}.`, token.at);
    return (of) => work(...given.map((one) => one(of)));
  }
}

/** Reads a text such as `val/loss - train/loss`; `known` are the keys of the metrics that there are. */
export function parse(text: string, known: readonly string[]): Expression {
  if (text.length > MAX_LENGTH) throw new ExpressionError(`Longer than ${MAX_LENGTH} letters.`, MAX_LENGTH);
  const reader = new Reader(tokens(text, known), new Set(known), text.length);
  const value = reader.whole();
  if (!reader.keys.size) throw new ExpressionError("It speaks of no metric.", 0);
  return { keys: [...reader.keys], value };
}
