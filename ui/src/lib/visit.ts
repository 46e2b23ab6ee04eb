// Visits of a page: when somebody was here last, told from reloads and short absences.

/** Kept of a page: when it was last seen, and up to when everything was seen the time before. */
export interface Visit {
  seen: number;
  since: number;
}

/** An absence of so many ms makes the next look another visit. */
const AWAY = 30 * 60_000;

/** The visit that a look at a page belongs to; nothing is new at the first one. */
export function visited(before: Visit | null, now: number): Visit {
  if (!before || !(before.seen > 0) || before.seen > now) return { seen: now, since: 0 };
  return now - before.seen > AWAY ? { seen: now, since: before.seen } : { seen: now, since: before.since };
}
