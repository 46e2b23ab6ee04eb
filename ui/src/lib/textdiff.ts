// Differences of texts, line by line, and of lists of packages.

export interface DiffLine {
  kind: "same" | "gone" | "new" | "skip";
  text: string;
  /** Line numbers, from 1, on both sides. */
  a: number | null;
  b: number | null;
}

// The table behind it has so many cells at most; texts that differ in more are shown one after the other.
const MOST_CELLS = 4_000_000;

/** The lines of two texts: kept, gone or new, with a few unchanged ones around each change; null when they are the same. */
export function textDiff(before: string, after: string, around = 3): DiffLine[] | null {
  if (before === after) return null;
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const all: DiffLine[] = [];
  for (let at = 0; at < head; at++) all.push({ kind: "same", text: a[at]!, a: at + 1, b: at + 1 });
  all.push(...middle(a, b, head, a.length - tail, b.length - tail));
  for (let at = tail; at > 0; at--) all.push({ kind: "same", text: a[a.length - at]!, a: a.length - at + 1, b: b.length - at + 1 });
  return shortened(all, around);
}

function middle(a: readonly string[], b: readonly string[], from: number, toA: number, toB: number): DiffLine[] {
  const [n, m] = [toA - from, toB - from];
  const found: DiffLine[] = [];
  const gone = (at: number) => found.push({ kind: "gone", text: a[from + at]!, a: from + at + 1, b: null });
  const fresh = (at: number) => found.push({ kind: "new", text: b[from + at]!, a: null, b: from + at + 1 });
  if (n * m > MOST_CELLS) {
    for (let at = 0; at < n; at++) gone(at);
    for (let at = 0; at < m; at++) fresh(at);
    return found;
  }
  // How long the longest common part of the rests is.
  const wide = m + 1;
  const common = new Uint16Array((n + 1) * wide);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      common[i * wide + j] = a[from + i] === b[from + j] ? common[(i + 1) * wide + j + 1]! + 1 : Math.max(common[(i + 1) * wide + j]!, common[i * wide + j + 1]!);
    }
  }
  let [i, j] = [0, 0];
  while (i < n || j < m) {
    if (i < n && j < m && a[from + i] === b[from + j]) {
      found.push({ kind: "same", text: a[from + i]!, a: from + i + 1, b: from + j + 1 });
      i++;
      j++;
    } else if (i < n && (j >= m || common[(i + 1) * wide + j]! >= common[i * wide + j + 1]!)) gone(i++);
    else fresh(j++);
  }
  return found;
}

function shortened(all: readonly DiffLine[], around: number): DiffLine[] {
  const near = new Uint8Array(all.length);
  all.forEach((one, at) => {
    if (one.kind !== "same") near.fill(1, Math.max(0, at - around), at + around + 1);
  });
  const found: DiffLine[] = [];
  let skipped = 0;
  const skip = () => {
    if (skipped) found.push({ kind: "skip", text: String(skipped), a: null, b: null });
    skipped = 0;
  };
  all.forEach((one, at) => {
    if (!near[at]) skipped++;
    else {
      skip();
      found.push(one);
    }
  });
  skip();
  return found;
}

/** The packages of a requirements file: what each has to be, by its normal name. */
export function requirements(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const cleaned = line.replace(/(^|\s)#.*$/, "").trim();
    const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*([=<>!~@][^;]*)?(;.*)?$/.exec(cleaned);
    if (!match || cleaned.startsWith("-")) continue;
    const name = match[1]!.toLowerCase().replace(/[._-]+/g, "-");
    const version = (match[3] ?? "").trim().replace(/^==\s*/, "") || "any";
    found.set(name, `${version}${match[2] ?? ""}${match[4] ? ` ${match[4].trim()}` : ""}`);
  }
  return found;
}
