// Short messages that say what happened, and offer to undo it.

import { signal } from "@preact/signals";
import { Icon } from "../widgets/icon.tsx";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
  undo?: (() => Promise<unknown> | void) | undefined;
}

const toasts = signal<Toast[]>([]);
let last = 0;

export function say(text: string, options: { bad?: boolean; undo?: () => Promise<unknown> | void } = {}): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), { id, text, bad: !!options.bad, undo: options.undo }];
  setTimeout(() => drop(id), options.undo ? 9000 : options.bad ? 8000 : 4000);
}

/** Does something that may fail, and says so if it does. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), { bad: true });
    return undefined;
  }
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((one) => (
        <div class={`toast ${one.bad ? "bad" : ""}`} key={one.id}>
          <Icon name={one.bad ? "warning" : "check"} />
          <span class="toast-text">{one.text}</span>
          {one.undo && (
            <button
              class="button quiet"
              onClick={() => {
                drop(one.id);
                void attempt(async () => one.undo!());
              }}
            >
              Undo
            </button>
          )}
          <button class="button icon quiet" aria-label="Dismiss" onClick={() => drop(one.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
