// The page that is shown: read from the address, written to the address, nothing kept beside it.

import { computed, signal } from "@preact/signals";
import { fromMlflow, readPlace, writePlace, type Place } from "../lib/url.ts";

function now(): Place {
  const place = readPlace(location.hash);
  const elsewhere = fromMlflow(place);
  if (elsewhere) {
    history.replaceState(null, "", elsewhere);
    return readPlace(elsewhere);
  }
  return place;
}

export const place = signal<Place>(now());
export const path = computed(() => place.value.path);
export const query = computed(() => place.value.query);

/** Whether the page is shown inside another one, such as a notebook: no bars around it. */
export const embedded = new URLSearchParams(location.search).get("embed") === "1";

addEventListener("hashchange", () => {
  place.value = now();
});

export const href = writePlace;

export function go(to: string): void {
  if (location.hash === to) return;
  history.pushState(null, "", to);
  place.value = now();
  document.getElementById("main")?.scrollTo(0, 0);
}

/** Changes some values of the address; undefined removes one. Small steps leave no trail in the history. */
export function patch(changes: Record<string, string | undefined>, trail = false): void {
  const to = writePlace(place.value.path, { ...place.value.query, ...changes });
  if (to === location.hash) return;
  if (trail) history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  place.value = readPlace(to);
}
