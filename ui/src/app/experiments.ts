// The experiments that there are: for the sidebar, the palette and names in tables.

import { computed, signal } from "@preact/signals";
import { source } from "../data/index.ts";
import type { Experiment } from "../data/source.ts";

export const experiments = signal<Experiment[] | null>(null);

export const experimentNames = computed(() => new Map((experiments.value ?? []).map((one) => [one.id, one.name])));

export async function reloadExperiments(): Promise<void> {
  try {
    const found = await source.experiments(3);
    if (found.experiments !== experiments.value) experiments.value = found.experiments;
  } catch {
    // The page that is shown says what is wrong.
  }
}
