// Small settings of this browser; a browser that keeps nothing still works.

export function keptText(name: string): string | null {
  try {
    return localStorage.getItem(`millstream.${name}`);
  } catch {
    return null;
  }
}

export function keepText(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`millstream.${name}`);
    else localStorage.setItem(`millstream.${name}`, value);
  } catch {
    // Private windows may refuse.
  }
}

export function kept<T>(name: string, fallback: T): T {
  const text = keptText(name);
  if (text === null) return fallback;
  try {
    const found = JSON.parse(text) as T;
    return typeof found === typeof fallback && Array.isArray(found) === Array.isArray(fallback) && found !== null ? found : fallback;
  } catch {
    return fallback;
  }
}

export function keep(name: string, value: unknown): void {
  keepText(name, JSON.stringify(value));
}
