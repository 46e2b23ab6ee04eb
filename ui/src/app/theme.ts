// Light, dark, or as the system says; and the resolved colours for what draws on a canvas.

import { computed, effect, signal } from "@preact/signals";
import { keepText, keptText } from "./kept.ts";

export type Theme = "system" | "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", () => {
  systemDark.value = system.matches;
});

export const theme = signal<Theme>((keptText("theme") as Theme | null) ?? "system");
export const isDark = computed(() => (theme.value === "system" ? systemDark.value : theme.value === "dark"));

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
  keepText("theme", theme.value === "system" ? null : theme.value);
});

let probe: HTMLElement | undefined;

/** The colour of a token as the page shows it now. */
export function color(token: string): string {
  if (!probe) {
    probe = document.createElement("i");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${token})`;
  return getComputedStyle(probe).color;
}
