// The command palette: every page and action by a few letters of its name.

import { signal } from "@preact/signals";
import { useMemo, useRef, useState } from "preact/hooks";
import { Dialog } from "../widgets/overlay.tsx";
import { Icon, type IconName } from "../widgets/icon.tsx";
import { shortcuts, shown } from "./keys.ts";
import { mayAdminister, who } from "./account.tsx";
import { experiments } from "./experiments.ts";
import { go, href } from "./router.ts";
import { theme } from "./theme.ts";

export const paletteOpen = signal(false);
export const helpOpen = signal(false);

export interface Command {
  text: string;
  detail?: string;
  icon: IconName;
  run: () => void;
}

/** Commands of the page that is shown. */
export const pageCommands = signal<Command[]>([]);

function commands(): Command[] {
  const pages: Command[] = [
    { text: "Experiments", icon: "flask", run: () => go(href(["experiments"])) },
    { text: "Models", icon: "box", run: () => go(href(["models"])) },
    ...(mayAdminister() ? [{ text: "Trash", icon: "trash" as const, run: () => go(href(["trash"])) }] : []),
    ...(who.value?.is_admin ? [
      { text: "People", icon: "users" as const, run: () => go(href(["users"])) },
      { text: "Roles", icon: "users" as const, run: () => go(href(["roles"])) },
      { text: "Audit log", icon: "clock" as const, run: () => go(href(["audit"])) },
    ] : []),
    ...(who.value ? [{ text: "Your account", icon: "user" as const, run: () => go(href(["account"])) }] : []),
  ];
  const looks: Command[] = (["system", "light", "dark"] as const).map((one) => ({
    text: `Theme: ${one}`, icon: one === "light" ? "sun" : one === "dark" ? "moon" : "system", run: () => (theme.value = one),
  }));
  const named = (experiments.value ?? []).filter((one) => one.stage === "active").map((one) => ({
    text: one.name, detail: "Experiment", icon: "flask" as const, run: () => go(href(["experiments", one.id])),
  }));
  return [...pageCommands.value, ...pages, ...named, ...looks, { text: "Keyboard shortcuts", icon: "keyboard", run: () => (helpOpen.value = true) }];
}

/** Points for how well letters match a text in their order; 0 when they do not. */
export function match(text: string, letters: string): number {
  if (!letters) return 1;
  const lower = text.toLowerCase();
  const at = lower.indexOf(letters);
  if (at >= 0) return 100 - at;
  let from = 0;
  for (const letter of letters) {
    from = lower.indexOf(letter, from) + 1;
    if (!from) return 0;
  }
  return 10;
}

export function Palette() {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => {
    const letters = text.trim().toLowerCase();
    const scored = commands().map((one) => [match(one.text, letters), one] as const).filter(([points]) => points > 0);
    return scored.sort((a, b) => b[0] - a[0]).map(([, one]) => one).slice(0, 60);
  }, [text]);
  const close = () => (paletteOpen.value = false);
  const choose = (one: Command | undefined) => {
    if (!one) return;
    close();
    one.run();
  };
  const key = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      const next = Math.max(0, Math.min(found.length - 1, at + step));
      setAt(next);
      list.current?.children[next]?.scrollIntoView({ block: "nearest" });
      event.preventDefault();
    } else if (event.key === "Enter") {
      choose(found[at]);
      event.preventDefault();
    }
  };
  return (
    <Dialog title="Go to" onClose={close}>
      <div class="palette">
        <label class="field large">
          <Icon name="search" />
          <span class="sr">Page or action</span>
          <input
            type="text" data-first placeholder="Experiment, page or action" value={text} role="combobox" aria-expanded="true"
            aria-controls="palette-list" aria-activedescendant={found[at] ? `palette-${at}` : undefined} autocomplete="off" spellcheck={false}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setAt(0);
            }}
            onKeyDown={key}
          />
        </label>
        <div id="palette-list" class="options" role="listbox" aria-label="Pages and actions" ref={list}>
          {found.map((one, index) => (
            <div
              id={`palette-${index}`} key={`${one.text}${one.detail ?? ""}${index}`} role="option" aria-selected={index === at} class="option"
              onPointerMove={() => setAt(index)} onClick={() => choose(one)}
            >
              <Icon name={one.icon} />
              <span class="option-label">{one.text}</span>
              {one.detail && <span class="option-detail">{one.detail}</span>}
            </div>
          ))}
        </div>
        {!found.length && <p class="hint pad">Nothing has these letters.</p>}
      </div>
    </Dialog>
  );
}

export function Help() {
  const all = shortcuts.value.filter((one, at, list) => list.findLastIndex((other) => other.keys === one.keys) === at);
  return (
    <Dialog title="Keyboard shortcuts" onClose={() => (helpOpen.value = false)}>
      <dl class="keys">
        {all.map((one) => (
          <div key={one.keys}>
            <dt>{one.text}</dt>
            <dd>{shown(one.keys).split(" then ").map((part, at) => <kbd key={at}>{part}</kbd>)}</dd>
          </div>
        ))}
        <div><dt>Move in the table</dt><dd><kbd>↑</kbd><kbd>↓</kbd></dd></div>
        <div><dt>Open the run</dt><dd><kbd>Enter</kbd></dd></div>
        <div><dt>Select rows up to here</dt><dd><kbd>Shift</kbd><kbd>click</kbd></dd></div>
      </dl>
    </Dialog>
  );
}
