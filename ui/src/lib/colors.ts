// Colours of runs: one each, the same in every chart and table, steady from visit to visit.

/** Twelve hues that stay apart on white and on black, for common colour blindness too. */
export const PALETTE = [
  "#2f6fde", "#e0662f", "#159a7c", "#b64fc8", "#c79a14", "#d6456b",
  "#3aa0d8", "#7a9a2e", "#7b61d9", "#b5734a", "#2c9f4b", "#8a94a6",
];

function hash(text: string): number {
  let value = 2166136261;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 16777619);
  return value >>> 0;
}

/** A colour for each id: its own where that is free among these ids, else the next free one. */
export function colorsOf(ids: readonly string[], chosen: Record<string, string> = {}): Map<string, string> {
  const found = new Map<string, string>();
  const used = new Map<string, number>();
  for (const id of ids) {
    if (chosen[id]) found.set(id, chosen[id]);
  }
  const sorted = ids.filter((id) => !chosen[id]);
  for (const id of sorted) {
    const own = hash(id) % PALETTE.length;
    let best = own;
    for (let step = 0; step < PALETTE.length; step++) {
      const at = (own + step) % PALETTE.length;
      if ((used.get(PALETTE[at]!) ?? 0) < (used.get(PALETTE[best]!) ?? 0)) best = at;
    }
    const color = PALETTE[best]!;
    used.set(color, (used.get(color) ?? 0) + 1);
    found.set(id, color);
  }
  return found;
}

/** A colour between two ends for `at` in 0..1; perceptually even enough for points and lines. */
export function ramp(at: number, dark: boolean): string {
  const t = Math.max(0, Math.min(1, Number.isFinite(at) ? at : 0));
  const lightness = dark ? 0.5 + 0.32 * t : 0.72 - 0.34 * t;
  const hue = 265 - 225 * t;
  return `oklch(${lightness.toFixed(3)} ${(0.11 + 0.05 * Math.sin(Math.PI * t)).toFixed(3)} ${hue.toFixed(1)})`;
}
