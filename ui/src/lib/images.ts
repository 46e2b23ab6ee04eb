// Series of images: which file is which key and step, as `mlflow.log_image` names them.

import type { Artifact } from "../data/source.ts";

export interface Shot {
  step: number;
  time: number;
  /** The whole image, and a small one; the same where there is only one. */
  full: string;
  small: string;
}

/** Files are `KEY+step+3+timestamp+9+ID.png`, with slashes of keys as `~`; older ones have `%` and `#`. */
const NAMES = [
  { pattern: /^(.+)\+step\+(\d+)\+timestamp\+(\d+)\+([^+]+?)(\+compressed)?\.(?:png|webp)$/, slash: "~" },
  { pattern: /^(.+)%step%(\d+)%timestamp%(\d+)%([^%]+?)(%compressed)?\.(?:png|webp)$/, slash: "#" },
];

/** The series among some files, by key, in the order of steps; of several at one step the latest. */
export function imageSeries(files: readonly Artifact[]): Map<string, Shot[]> {
  const shots = new Map<string, Shot & { key: string }>();
  for (const { path, is_dir } of files) {
    if (is_dir) continue;
    const name = path.slice(path.lastIndexOf("/") + 1);
    for (const { pattern, slash } of NAMES) {
      const match = pattern.exec(name);
      if (!match) continue;
      const [, key, step, time, id, small] = match;
      const place = `${key} ${step} ${time} ${id}`;
      const there = shots.get(place);
      if (there) Object.assign(there, small ? { small: path } : { full: path });
      else shots.set(place, { key: key!.replaceAll(slash, "/"), step: Number(step), time: Number(time), full: path, small: path });
      break;
    }
  }
  const found = new Map<string, Shot[]>();
  for (const { key, ...shot } of [...shots.values()].sort((a, b) => a.step - b.step || a.time - b.time)) {
    const own = found.get(key) ?? [];
    if (own.at(-1)?.step === shot.step) own.pop();
    own.push(shot);
    found.set(key, own);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The image that holds at a step: the last one up to it. */
export function shotAt(shots: readonly Shot[], step: number): Shot | null {
  return shots.findLast((one) => one.step <= step) ?? null;
}

/** At most `most` of some values, evenly, the first and the last among them. */
export function thinned<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, at) => values[Math.round((at * (values.length - 1)) / (most - 1))]!);
}
