// What is around every page: the side bar, the trouble line, and what lies above.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Icon, type IconName } from "../widgets/icon.tsx";
import { Button, Choice } from "../widgets/parts.tsx";
import { copy } from "../data/index.ts";
import { date } from "../lib/format.ts";
import { Account, mayAdminister, who } from "./account.tsx";
import { experiments, reloadExperiments } from "./experiments.ts";
import { useKeys } from "./keys.ts";
import { online, visible } from "./load.ts";
import { Help, helpOpen, Palette, paletteOpen } from "./palette.tsx";
import { embedded, go, href, path } from "./router.ts";
import { theme, type Theme } from "./theme.ts";
import { Toasts } from "./toasts.tsx";

const sideOpen = signal(false);

function Link({ to, icon, active, children }: { to: string; icon?: IconName; active: boolean; children: ComponentChildren }) {
  return (
    <a class={`side-link ${active ? "on" : ""}`} href={to} aria-current={active ? "page" : undefined} onClick={() => (sideOpen.value = false)}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </a>
  );
}

function Side() {
  const [first, second] = path.value;
  const shown = (experiments.value ?? []).filter((one) => one.stage === "active").slice(0, 12);
  return (
    <nav class={`side ${sideOpen.value ? "open" : ""}`} aria-label="Main">
      <a class="brand" href="#/experiments">
        <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 9c4-4 8 4 12 0s8-4 12 0M4 16c4-4 8 4 12 0s8-4 12 0M4 23c4-4 8 4 12 0s8-4 12 0" />
        </svg>
        Millstream
      </a>
      <button type="button" class="side-search" onClick={() => (paletteOpen.value = true)}>
        <Icon name="search" size={14} />
        <span>Go to…</span>
        <kbd>{/Mac|iPhone|iPad/.test(navigator.platform) ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      <Link to="#/experiments" icon="flask" active={first === "experiments" && !second}>Experiments</Link>
      {!copy && <Link to="#/models" icon="box" active={first === "models"}>Models</Link>}
      {!copy && who.value?.is_admin && <Link to="#/users" icon="users" active={first === "users" || first === "roles" || first === "audit"}>People</Link>}
      {!copy && mayAdminister() && <Link to="#/trash" icon="trash" active={first === "trash"}>Trash</Link>}
      {shown.length > 0 && <h2 class="side-title">Recent experiments</h2>}
      <div class="side-list">
        {shown.map((one) => (
          <Link key={one.id} to={href(["experiments", one.id])} active={first === "experiments" && (second ?? "").split(",").includes(one.id)}>
            {one.name}
          </Link>
        ))}
      </div>
      {copy && <p class="side-note">{`A copy made ${date(copy.made).slice(0, 16)}. It needs no server, and nothing in it changes.`}</p>}
      <Account onGo={() => (sideOpen.value = false)} />
      <div class="side-foot">
        <Choice<Theme>
          label="Theme" value={theme.value} onChange={(value) => (theme.value = value)}
          options={[["system", "As the system", "system"], ["light", "Light", "sun"], ["dark", "Dark", "moon"]]}
        />
        <Button kind="quiet" icon="keyboard" label="Keyboard shortcuts" keys="?" onClick={() => (helpOpen.value = true)} />
      </div>
    </nav>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  useKeys([
    { keys: "mod+k", text: "Go to anything", always: true, run: () => (paletteOpen.value = !paletteOpen.value) },
    { keys: "?", text: "Keyboard shortcuts", run: () => (helpOpen.value = true) },
    { keys: "g e", text: "Experiments", run: () => go(href(["experiments"])) },
    { keys: "g m", text: "Models", run: () => go(href(["models"])) },
    ...(mayAdminister() ? [{ keys: "g t", text: "Trash", run: () => go(href(["trash"])) }] : []),
    ...(who.value?.is_admin ? [{ keys: "g p", text: "People", run: () => go(href(["users"])) }] : []),
  ], [who.value]);
  useEffect(() => {
    void reloadExperiments();
    const timer = setInterval(() => visible.value && !copy && void reloadExperiments(), 15_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class={`shell ${embedded ? "embedded" : ""}`}>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>Skip to content</a>
      {!embedded && (
        <header class="phone-bar">
          <Button kind="quiet" icon="menu" label="Menu" onClick={() => (sideOpen.value = !sideOpen.value)} />
          <a class="brand" href="#/experiments">Millstream</a>
          <Button kind="quiet" icon="search" label="Go to" onClick={() => (paletteOpen.value = true)} />
        </header>
      )}
      {!embedded && <Side />}
      {sideOpen.value && <div class="side-scrim" onClick={() => (sideOpen.value = false)} />}
      <main id="main" tabIndex={-1}>
        {!online.value && (
          <div class="offline" role="status">
            <Icon name="warning" size={14} /> The server does not answer. What you see was true a moment ago; trying again.
          </div>
        )}
        {children}
      </main>
      <Toasts />
      {paletteOpen.value && <Palette />}
      {helpOpen.value && <Help />}
    </div>
  );
}
