// What lies above the page: menus beside a button, and dialogs.

import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "./parts.tsx";
import { Icon, type IconName } from "./icon.tsx";

const FOCUSABLE = "button:not([disabled]),input:not([disabled]),select,textarea,a[href],[tabindex='0']";

/** Puts a panel beside its anchor, inside the window. */
function usePlace(panel: RefObject<HTMLDivElement | null>, anchor: Element | null, at: { x: number; y: number } | null) {
  useLayoutEffect(() => {
    const element = panel.current;
    if (!element) return;
    const box = element.getBoundingClientRect();
    const from = at ? { left: at.x, right: at.x, top: at.y, bottom: at.y } : anchor?.getBoundingClientRect();
    if (!from) return;
    const left = Math.max(8, Math.min(from.left, innerWidth - box.width - 8));
    const below = from.bottom + 4;
    const top = below + box.height > innerHeight - 8 ? Math.max(8, from.top - 4 - box.height) : below;
    element.style.left = `${left}px`;
    element.style.top = `${top}px`;
    element.style.visibility = "visible";
  });
}

/** A panel beside `anchor`; Escape and a click elsewhere close it, and the focus goes back. */
export function Popover({ anchor, at = null, onClose, label, children, wide }: {
  anchor: Element | null;
  at?: { x: number; y: number } | null;
  onClose: () => void;
  label: string;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const panel = useRef<HTMLDivElement>(null);
  usePlace(panel, anchor, at);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const first = panel.current?.querySelector<HTMLElement>("[data-first]") ?? panel.current?.querySelector<HTMLElement>(FOCUSABLE);
    first?.focus({ preventScroll: true });
    const press = (event: PointerEvent) => {
      const target = event.target as Node;
      if (panel.current?.contains(target) || anchor?.contains(target)) return;
      onClose();
    };
    const key = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      onClose();
    };
    document.addEventListener("pointerdown", press, true);
    document.addEventListener("keydown", key, true);
    return () => {
      document.removeEventListener("pointerdown", press, true);
      document.removeEventListener("keydown", key, true);
      if (!document.activeElement || document.activeElement === document.body || panel.current?.contains(document.activeElement)) before?.focus({ preventScroll: true });
    };
  }, []);
  return (
    <div class={`popover ${wide ? "wide" : ""}`} role="dialog" aria-label={label} ref={panel} style={{ visibility: "hidden" }}>
      {children}
    </div>
  );
}

export interface Item {
  label: string;
  icon?: IconName;
  detail?: string;
  danger?: boolean;
  disabled?: boolean;
  /** Why it cannot be chosen, for who would like to. */
  why?: string | undefined;
  checked?: boolean;
  run: () => void;
}

/** A list of actions; arrows move, Enter does. A null is a line between them. */
export function MenuList({ items, onDone, label }: { items: (Item | null)[]; onDone: () => void; label: string }) {
  const list = useRef<HTMLDivElement>(null);
  // Said in the menu itself: fingers and keys see no titles.
  const reasons = [...new Set(items.map((item) => item?.why).filter((why) => why !== undefined))];
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const all = [...list.current!.querySelectorAll<HTMLElement>("button:not([disabled])")];
    const now = all.indexOf(document.activeElement as HTMLElement);
    all[(now + step + all.length) % all.length]?.focus();
  };
  return (
    <div class="menu" role="menu" aria-label={label} ref={list} onKeyDown={move}>
      {items.map((item, at) =>
        item === null ? (
          <hr key={at} />
        ) : (
          <button
            type="button" key={item.label} role={item.checked === undefined ? "menuitem" : "menuitemcheckbox"}
            aria-checked={item.checked} class={item.danger ? "danger" : ""} disabled={!!item.disabled || item.why !== undefined} title={item.why}
            onClick={() => {
              onDone();
              item.run();
            }}
          >
            {item.checked !== undefined ? <span class="menu-check">{item.checked && <Icon name="check" size={14} />}</span> : item.icon && <Icon name={item.icon} size={14} />}
            <span class="menu-label">{item.label}</span>
            {item.detail && <span class="menu-detail">{item.detail}</span>}
          </button>
        ),
      )}
      {reasons.map((why) => <p class="menu-why" key={why}>{why}</p>)}
    </div>
  );
}

/** A button with a menu behind it. */
export function Menu({ label, text, icon, items, kind = "plain" }: {
  label: string;
  text?: string;
  icon?: IconName;
  items: (Item | null)[];
  kind?: "plain" | "quiet";
}) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  return (
    <span class="anchor" ref={anchor}>
      <Button kind={kind} label={label} {...(icon ? { icon } : {})} expanded={open} onClick={() => setOpen(!open)}>
        {text}
      </Button>
      {open && (
        <Popover anchor={anchor.current} onClose={() => setOpen(false)} label={label}>
          <MenuList items={items} onDone={() => setOpen(false)} label={label} />
        </Popover>
      )}
    </span>
  );
}

/** A button with any panel behind it. */
export function Drop({ label, text, icon, title, kind = "plain", wide, pressed, children }: {
  label: string;
  kind?: "plain" | "quiet";
  text?: ComponentChildren;
  icon?: IconName;
  title?: string;
  wide?: boolean;
  pressed?: boolean;
  children: (close: () => void) => ComponentChildren;
}) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  const close = () => setOpen(false);
  return (
    <span class="anchor" ref={anchor}>
      <Button
        label={label} {...(icon ? { icon } : {})} kind={kind} {...(title ? { title } : {})} {...(pressed ? { pressed } : {})}
        expanded={open} onClick={() => setOpen(!open)}
      >
        {text}
      </Button>
      {open && (
        <Popover anchor={anchor.current} onClose={close} label={label} wide={!!wide}>
          {children(close)}
        </Popover>
      )}
    </span>
  );
}

/** A question in the middle of the page. The browser keeps the focus in it. */
export function Dialog({ title, onClose, children, actions, wide }: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  actions?: ComponentChildren;
  wide?: boolean;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the next key: who types at once after opening loses no letter.
  useLayoutEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement as HTMLElement | null;
    element.showModal();
    element.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => before?.focus();
  }, []);
  return (
    <dialog
      ref={dialog} class={`dialog ${wide ? "wide" : ""}`} aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-box">
        <header>
          <h2>{title}</h2>
          <Button kind="quiet" icon="close" label="Close" onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions && <footer>{actions}</footer>}
      </div>
    </dialog>
  );
}

/** A dialog that asks for one line of text. */
export function Ask({ title, label, value = "", action, hint, wrong = () => null, onClose, onDone }: {
  title: string;
  label: string;
  value?: string;
  action: string;
  hint?: string;
  /** What is wrong with a text; null when it will do. */
  wrong?: (value: string) => string | null;
  onClose: () => void;
  onDone: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  const trouble = text.trim() ? wrong(text.trim()) : null;
  const ready = !!text.trim() && trouble === null;
  const done = () => {
    if (!ready) return;
    onClose();
    onDone(text.trim());
  };
  return (
    <Dialog
      title={title} onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" disabled={!ready} onClick={done}>{action}</Button>
        </>
      }
    >
      <label class="stacked">
        <span>{label}</span>
        <input
          type="text" data-first value={text} spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && done()}
        />
      </label>
      {hint && <p class="hint">{hint}</p>}
      {trouble && <p class="note warn" role="status">{trouble}</p>}
    </Dialog>
  );
}
