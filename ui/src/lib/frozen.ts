// Frozen links: the runs that were on show, kept in the store under a short name, so that they are the same next month.

/** What a frozen link holds. */
export interface Frozen {
  /** When it was made, ms. */
  at: number;
  /** The filter that chose the runs then. */
  where: string;
  runs: string[];
}

const TAG = "millstream.frozen.";
/** What a tag of an experiment holds in every store. */
const PIECE = 4_500;
export const MOST_FROZEN = 1_000;

/** The tags of an experiment that keep it. */
export function frozenTags(key: string, frozen: Frozen): [string, string][] {
  const text = JSON.stringify(frozen);
  const pieces: [string, string][] = [];
  for (let at = 0; at < text.length; at += PIECE) pieces.push([`${TAG}${key}.${pieces.length}`, text.slice(at, at + PIECE)]);
  return pieces;
}

/** What tags keep; null where some of it is missing or damaged. */
export function readFrozen(key: string, tags: Record<string, string>): Frozen | null {
  let text = "";
  for (let at = 0; Object.hasOwn(tags, `${TAG}${key}.${at}`); at++) text += tags[`${TAG}${key}.${at}`];
  try {
    const { at, where, runs } = JSON.parse(text) as Partial<Frozen>;
    if (typeof at !== "number" || typeof where !== "string" || !Array.isArray(runs)) return null;
    return { at, where: where.slice(0, 2000), runs: runs.filter((one) => typeof one === "string" && /^[\w-]+$/.test(one)).slice(0, MOST_FROZEN) };
  } catch {
    return null;
  }
}

/** The filter that these runs pass, and no others. */
export function frozenFilter(frozen: Frozen): string {
  return `attributes.run_id IN (${(frozen.runs.length ? frozen.runs : [""]).map((id) => `'${id}'`).join(", ")})`;
}
