// Keyboard shortcuts: a list that the help sheet shows and the keyboard obeys.

import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";

export interface Shortcut {
  /** `mod+k`, `g e`, `/`, `?`. */
  keys: string;
  text: string;
  run: () => void;
  /** Also while typing. */
  always?: boolean;
}

export const shortcuts = signal<Shortcut[]>([]);

let pending = "";
let pendingTimer = 0;

function typed(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey) return;
  const mod = event.metaKey || event.ctrlKey;
  const name = (mod ? "mod+" : "") + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
  const full = pending ? `${pending} ${name}` : name;
  const inField = typed(event);
  const modal = document.querySelector("dialog[open]");
  const found = shortcuts.value.findLast((one) => one.keys === full && (one.always || (!inField && !modal)));
  if (found) {
    event.preventDefault();
    pending = "";
    found.run();
    return;
  }
  if (!inField && !mod && shortcuts.value.some((one) => one.keys.startsWith(`${full} `))) {
    pending = full;
    clearTimeout(pendingTimer);
    pendingTimer = setTimeout(() => (pending = ""), 900) as unknown as number;
    return;
  }
  pending = "";
});

/** Offers shortcuts while a part of the page is there. */
export function useKeys(list: Shortcut[], depends: unknown[] = []): void {
  useEffect(() => {
    shortcuts.value = [...shortcuts.value, ...list];
    return () => {
      shortcuts.value = shortcuts.value.filter((one) => !list.includes(one));
    };
  }, depends);
}

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

export function shown(keys: string): string {
  return keys.split(" ").map((one) => one.replace("mod+", MAC ? "⌘" : "Ctrl ").replace(/(^|\s)([a-z])$/, (_, before: string, key: string) => before + key.toUpperCase())).join(" then ");
}
