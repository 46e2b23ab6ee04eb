// How numbers, times, durations and sizes are written.

const TINY = 1e-4;
const HUGE = 1e9;

/** A number with up to `digits` significant digits; exponents only for the very small and large. */
export function num(value: number, digits = 5): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < TINY || size >= HUGE) {
    return value.toExponential(Math.max(0, digits - 2)).replace(/\.?0+e/, "e").replace("e+", "e").replace(/^-/, "−");
  }
  if (Number.isInteger(value)) return whole(value);
  return Number(value.toPrecision(Math.max(digits, String(Math.trunc(size)).length))).toString().replace(/^-/, "−");
}

/** A whole number with thin spaces between thousands. */
export function whole(value: number): string {
  const text = Math.abs(Math.trunc(value)).toString();
  const grouped = text.length > 4 ? text.replace(/\B(?=(\d{3})+$)/g, "\u2009") : text;
  return (value < 0 ? "−" : "") + grouped;
}

export type Cell = string | number | null | undefined;

/** The number a cell of a metric holds: JSON carries NaN and infinities as their names. */
export function metric(cell: Cell): number | null {
  if (typeof cell === "number") return cell;
  if (cell === "NaN") return NaN;
  if (cell === "Infinity") return Infinity;
  if (cell === "-Infinity") return -Infinity;
  return null;
}

/** The finite number that a param spells, or null. */
export function spelled(cell: Cell): number | null {
  if (typeof cell === "number") return Number.isFinite(cell) ? cell : null;
  if (!cell || !/^\s*[-+]?(\d|\.\d)/.test(cell)) return null;
  const value = Number(cell);
  return Number.isFinite(value) ? value : null;
}

/** A duration in ms, in its two largest units: `3m 20s`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return "–";
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}s`;
  const total = Math.round(seconds);
  const [days, hours, minutes] = [Math.floor(total / 86400), Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60];
  if (days) return hours ? `${days}d ${hours}h` : `${days}d`;
  if (hours) return minutes ? `${hours}h ${minutes}m` : `${hours}h`;
  return total % 60 ? `${minutes}m ${total % 60}s` : `${minutes}m`;
}

/** How long ago: `just now`, `5m ago`, `3d ago`, then the date. */
export function ago(time: number, now = Date.now()): string {
  const passed = now - time;
  if (passed < 45_000) return passed < -60_000 ? date(time) : "just now";
  const units: [number, string][] = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "m"]];
  if (passed > 30 * 86_400_000) return date(time).slice(0, 10);
  for (const [size, name] of units) {
    if (passed >= size) return `${Math.floor(passed / size)}${name} ago`;
  }
  return "1m ago";
}

/** Date and time in the local zone: `2026-11-25 14:03:20`. */
export function date(time: number): string {
  const when = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  return (
    `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())} ` +
    `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`
  );
}

/** A size in bytes: `1.4 MB`. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  for (const [factor, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]] as const) {
    if (size >= factor) {
      const value = size / factor;
      return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
    }
  }
  return `${size} B`;
}

/** `1 run`, `2 runs`. */
export function count(value: number, noun: string): string {
  return `${whole(value)} ${noun}${value === 1 ? "" : "s"}`;
}
