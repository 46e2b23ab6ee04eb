// The small parts that every page is made of.

import type { ComponentChildren, InputHTMLAttributes } from "preact";
import { useState } from "preact/hooks";
import { attempt, say } from "../app/toasts.tsx";
import { ago, date } from "../lib/format.ts";
import { Icon, type IconName } from "./icon.tsx";

export function Button(props: {
  children?: ComponentChildren;
  icon?: IconName;
  kind?: "primary" | "quiet" | "plain" | "danger";
  label?: string;
  title?: string | undefined;
  keys?: string;
  pressed?: boolean;
  disabled?: boolean;
  /** Why it cannot be pressed, for who would like to. */
  why?: string | undefined;
  expanded?: boolean;
  onClick?: (event: MouseEvent) => void;
}) {
  const { children, icon, kind = "plain", label, title, keys, pressed, disabled, why, expanded, onClick } = props;
  const shown = why ?? title ?? (children ? undefined : label);
  return (
    <button
      type="button"
      class={`button ${kind} ${children ? "" : "icon"} ${pressed ? "on" : ""}`}
      aria-label={children ? undefined : label}
      aria-pressed={pressed === undefined ? undefined : pressed}
      aria-expanded={expanded}
      aria-haspopup={expanded === undefined ? undefined : true}
      title={shown && keys && !why ? `${shown} (${keys})` : shown}
      disabled={disabled || why !== undefined}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
      {expanded !== undefined && children && <Icon name="down" size={12} />}
    </button>
  );
}

export function CopyButton({ text, label = "Copy", children }: { text: string; label?: string; children?: ComponentChildren }) {
  const [done, setDone] = useState(false);
  const copy = () =>
    void attempt(async () => {
      await copyText(text);
      setDone(true);
      setTimeout(() => setDone(false), 1200);
    });
  return (
    <button type="button" class={`button quiet copy ${children ? "" : "icon"}`} aria-label={children ? undefined : label} title={label} onClick={copy}>
      <Icon name={done ? "check" : "copy"} size={14} />
      {children && <span>{children}</span>}
    </button>
  );
}

export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain http on another machine has no clipboard of its own.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function Time({ value }: { value: number | null | undefined }) {
  if (!value) return <span class="dim">–</span>;
  return (
    <time dateTime={new Date(value).toISOString()} title={date(value)}>
      {ago(value)}
    </time>
  );
}

const STATUS: Record<string, [string, string]> = {
  RUNNING: ["running", "Running"],
  SCHEDULED: ["scheduled", "Scheduled"],
  FINISHED: ["finished", "Finished"],
  FAILED: ["failed", "Failed"],
  KILLED: ["killed", "Killed"],
  READY: ["finished", "Ready"],
  PENDING: ["scheduled", "Pending"],
};

export function Status({ value, short }: { value: string; short?: boolean }) {
  const [kind, text] = STATUS[value] ?? ["killed", value.toLowerCase()];
  return (
    <span class={`status ${kind}`} title={text}>
      <i aria-hidden="true" />
      {short ? <span class="sr">{text}</span> : text}
    </span>
  );
}

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <div class="failure" role="alert">
      <Icon name="warning" />
      <div class="failure-body">
        <strong>This could not be loaded.</strong>
        <pre>{error.message}</pre>
        {retry && <Button onClick={retry}>Try again</Button>}
      </div>
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <h2>{title}</h2>
      <div class="empty-body">{children}</div>
    </div>
  );
}

/** Grey lines of the size of what is coming, so that nothing jumps when it is there. */
export function Skeleton({ lines = 6, height = 14 }: { lines?: number; height?: number }) {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: lines }, (_, at) => (
        <i key={at} style={{ height: `${height}px`, width: `${92 - ((at * 37) % 45)}%` }} />
      ))}
    </div>
  );
}

export function Code({ children }: { children: string }) {
  return (
    <div class="code">
      <pre tabIndex={0}>{children}</pre>
      <CopyButton text={children} label="Copy code" />
    </div>
  );
}

export function Tabs<T extends string>({ value, options, onChange, label }: {
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
  label: string;
}) {
  const move = (event: KeyboardEvent) => {
    const at = options.findIndex(([id]) => id === value);
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const next = options[(at + step + options.length) % options.length]!;
    onChange(next[0]);
    (event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=tab]")[options.indexOf(next)]?.focus();
    event.preventDefault();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {options.map(([id, text]) => (
        <button
          type="button" role="tab" key={id} aria-selected={id === value} tabIndex={id === value ? 0 : -1}
          onClick={() => onChange(id)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/** One of a few choices, side by side. */
export function Choice<T extends string>({ value, options, onChange, label }: {
  value: T;
  options: readonly (readonly [T, string, IconName?])[];
  onChange: (value: T) => void;
  label: string;
}) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([id, text, icon]) => (
        <button
          type="button" key={id} aria-pressed={id === value} title={icon ? text : undefined}
          aria-label={icon ? text : undefined} onClick={() => onChange(id)}
        >
          {icon ? <Icon name={icon} /> : text}
        </button>
      ))}
    </div>
  );
}

export function Field(props: InputHTMLAttributes<HTMLInputElement> & { label: string; icon?: IconName }) {
  const { label, icon, ...rest } = props;
  return (
    <label class="field">
      {icon && <Icon name={icon} size={14} />}
      <span class="sr">{label}</span>
      <input type="text" placeholder={label} spellcheck={false} autocomplete="off" {...rest} />
    </label>
  );
}

export { say };
