// The filter line: completion as one types, trouble told under it with a caret.

import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Choice, Field } from "../../widgets/parts.tsx";
import { Drop, MenuList, type Item } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { complete, type Completion } from "../../lib/query.ts";
import type { Summary } from "../../lib/columns.ts";
import { useKeys } from "../../app/keys.ts";
import { patch } from "../../app/router.ts";
import { filterText, setFilter, since, SINCE, view } from "./state.ts";

export function FilterLine({ summary, error }: { summary: Summary | null; error: string | null }) {
  const [text, setText] = useState(filterText.value);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const applied = filterText.value;
  useEffect(() => setText(applied), [applied]);
  useKeys([{ keys: "/", text: "Filter runs", run: () => input.current?.focus() }]);

  const found = open ? complete(text, caret, summary) : null;
  const options = found?.options ?? [];
  const choose = (one: Completion) => {
    if (!found) return;
    const next = text.slice(0, found.from) + one.insert + text.slice(found.to).replace(/^\s+/, "");
    const place = found.from + one.insert.length;
    setText(next);
    setCaret(place);
    setAt(-1);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(place, place);
    });
  };
  const apply = (value = text) => {
    setOpen(false);
    setFilter(value.trim());
  };
  const key = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step && open && options.length) {
      setAt((before) => (before + step + options.length) % options.length);
      event.preventDefault();
    } else if (event.key === "Tab" && open && options.length && text) {
      choose(options[Math.max(0, at)]!);
      event.preventDefault();
    } else if (event.key === "Enter") {
      if (open && at >= 0 && options[at]) choose(options[at]);
      else apply();
      event.preventDefault();
    } else if (event.key === "Escape") {
      if (open) setOpen(false);
      else input.current?.blur();
      event.preventDefault();
    }
  };
  const follow = (event: Event) => setCaret((event.currentTarget as HTMLInputElement).selectionStart ?? 0);
  return (
    <div class={`filter ${error ? "wrong" : ""}`}>
      <div class="filter-line">
        <Icon name="search" size={14} />
        <input
          ref={input} type="text" value={text} spellcheck={false} autocomplete="off" autocapitalize="off"
          placeholder="Filter: a name, or metrics.rmse < 0.8 AND params.alpha = '0.5'" aria-label="Filter runs"
          role="combobox" aria-expanded={open && options.length > 0} aria-controls="filter-options" aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? `filter-option-${at}` : undefined} aria-invalid={!!error} aria-describedby={error ? "filter-error" : undefined}
          onInput={(event) => {
            setText(event.currentTarget.value);
            follow(event);
            setOpen(true);
            setAt(-1);
          }}
          onFocus={(event) => {
            follow(event);
            setOpen(true);
          }}
          onClick={(event) => {
            follow(event);
            setOpen(true);
          }}
          onBlur={() => {
            setOpen(false);
            if (text.trim() !== applied) apply();
          }}
          onKeyUp={follow} onKeyDown={key}
        />
        {text && <Button kind="quiet" icon="close" label="Clear the filter" onClick={() => { setText(""); apply(""); }} />}
      </div>
      {open && options.length > 0 && (
        <div class="options filter-options" id="filter-options" role="listbox" aria-label="Completions">
          {options.map((one, index) => (
            <div
              key={one.label} id={`filter-option-${index}`} role="option" aria-selected={index === at} class="option"
              ref={(element) => {
                if (element && index === at) element.scrollIntoView({ block: "nearest" });
              }}
              onPointerDown={(event) => {
                event.preventDefault();
                choose(one);
              }}
            >
              <span class="option-label">{one.label}</span>
              <span class="option-detail">{one.detail}</span>
            </div>
          ))}
        </div>
      )}
      {error && <pre class="filter-error" id="filter-error" role="alert">{error}</pre>}
    </div>
  );
}

export function TimeFilter() {
  const now = SINCE.find(([id]) => id === since.value) ?? SINCE[0]!;
  const items: Item[] = SINCE.map(([id, label]) => ({ label, checked: id === since.value, run: () => patch({ since: id || undefined }, true) }));
  return (
    <Drop label="Time" icon="clock" text={now[1]} pressed={since.value !== ""}>
      {(close) => <MenuList items={items} onDone={close} label="Time" />}
    </Drop>
  );
}

export function ViewChoice() {
  return (
    <Choice
      label="Which runs" value={view.value === 2 ? "deleted" : "active"}
      options={[["active", "Active"], ["deleted", "Deleted"]]}
      onChange={(value) => patch({ view: value === "deleted" ? "deleted" : undefined, sel: undefined }, true)}
    />
  );
}

/** A list with a search above it, of things that are on or off. */
export function Checklist({ sections, checked, onToggle, label, search = "Search", foot }: {
  sections: { title: string; items: { id: string; label: string; detail?: string }[] }[];
  checked: ReadonlySet<string>;
  onToggle: (id: string) => void;
  label: string;
  search?: string;
  foot?: preact.ComponentChildren;
}) {
  const [text, setText] = useState("");
  const [most, setMost] = useState(60);
  const wanted = text.toLowerCase();
  return (
    <div class="checklist">
      <Field label={search} icon="search" value={text} data-first onInput={(event) => setText(event.currentTarget.value)} />
      <div class="checklist-body" role="group" aria-label={label}>
        {sections.map(({ title, items }) => {
          const found = wanted ? items.filter((one) => one.label.toLowerCase().includes(wanted)) : items;
          if (!found.length) return null;
          return (
            <fieldset key={title}>
              <legend>{title}</legend>
              {found.slice(0, most).map((one) => (
                <label key={one.id} class="check-line">
                  <input type="checkbox" checked={checked.has(one.id)} onChange={() => onToggle(one.id)} />
                  <span class="check-label">{one.label}</span>
                  {one.detail && <span class="check-detail">{one.detail}</span>}
                </label>
              ))}
              {found.length > most && <Button kind="quiet" onClick={() => setMost(most + 500)}>{`${found.length - most} more`}</Button>}
            </fieldset>
          );
        })}
      </div>
      {foot && <div class="checklist-foot">{foot}</div>}
    </div>
  );
}
