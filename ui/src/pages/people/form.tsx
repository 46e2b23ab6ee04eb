// The small parts of the pages about people: lines of forms, levels, names of things, and the way between the pages.

import type { InputHTMLAttributes } from "preact";
import { Tabs } from "../../widgets/parts.tsx";
import { experimentNames } from "../../app/experiments.ts";
import { go, href } from "../../app/router.ts";
import { LEVELS } from "../../data/users.ts";

const TABS = [["users", "People"], ["roles", "Roles"], ["audit", "Audit log"]] as const;

export function PeopleTabs({ on }: { on: (typeof TABS)[number][0] }) {
  return <Tabs label="Parts of people" value={on} options={TABS} onChange={(next) => go(href([next]))} />;
}

/** A field with its name above it; Enter does what the form is for. */
export function Entry({ label, hint, onEnter, ...rest }: InputHTMLAttributes<HTMLInputElement> & { label: string; hint?: string; onEnter?: () => void }) {
  return (
    <label class="stacked">
      <span>{label}</span>
      <input type="text" spellcheck={false} autocomplete="off" {...rest} onKeyDown={(event) => event.key === "Enter" && onEnter?.()} />
      {hint && <span class="hint">{hint}</span>}
    </label>
  );
}

/** A choice of levels; one that is not offered any more stays while it is the present one. */
export function LevelChoice({ label, value, told, onChange }: { label: string; value: string; told?: boolean; onChange: (level: string) => void }) {
  const known = LEVELS.some(([level]) => level === value);
  return (
    <select class={`level-choice ${told ? "" : "short"}`} aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {!known && <option value={value}>{value}</option>}
      {LEVELS.map(([level, means]) => <option key={level} value={level}>{told ? `${level}: ${means}` : level}</option>)}
    </select>
  );
}

export function Level({ name }: { name: string }) {
  return <span class={`level ${name.toLowerCase()}`}>{name === "NO_PERMISSIONS" ? "nothing" : name}</span>;
}

const WHOLE: Record<string, string> = { experiment: "all experiments", registered_model: "all registered models", run: "all runs", logged_model: "all logged models" };

/** What something was granted on, by the name that people know. */
export function GrantedOn({ kind, pattern }: { kind: string; pattern: string }) {
  const whole = kind.replaceAll("_", " ");
  if (pattern === "*") return <span>{WHOLE[kind] ?? `all of ${whole}`}</span>;
  if (kind === "experiment") return <span class="granted-on"><span class="dim">experiment </span><a href={href(["experiments", pattern])}>{experimentNames.value.get(pattern) ?? pattern}</a></span>;
  if (kind === "registered_model") return <span class="granted-on"><span class="dim">model </span><a href={href(["models", pattern])}>{pattern}</a></span>;
  return <span><span class="dim">{whole} </span>{pattern}</span>;
}
