// Facts about one thing: a list of names and values, tables of keys, tags and descriptions that can be changed.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { attempt } from "../app/toasts.tsx";
import { Markdown } from "../lib/markdown.tsx";
import { Button, CopyButton, Field } from "./parts.tsx";
import { Icon } from "./icon.tsx";

export function Facts({ rows }: { rows: (readonly [string, ComponentChildren] | null | false)[] }) {
  return (
    <dl class="facts">
      {rows.filter((one) => !!one).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Panel({ title, count, actions, children }: { title: string; count?: number; actions?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}{count !== undefined && <span class="dim"> {count}</span>}</h2>
        {actions}
      </header>
      {children}
    </section>
  );
}

const FIRST = 100;

/** Keys and values with a search, the first hundred at once. */
export function KeyTable({ title, rows, empty }: { title: string; rows: { key: string; value: ComponentChildren; text: string; sub?: ComponentChildren }[]; empty: string }) {
  const [find, setFind] = useState("");
  const [most, setMost] = useState(FIRST);
  const wanted = find.toLowerCase();
  const found = wanted ? rows.filter((one) => one.key.toLowerCase().includes(wanted) || one.text.toLowerCase().includes(wanted)) : rows;
  return (
    <Panel
      title={title} count={rows.length}
      actions={rows.length > 8 && <Field label={`Find in ${title.toLowerCase()}`} icon="search" value={find} onInput={(event) => setFind(event.currentTarget.value)} />}
    >
      {rows.length === 0 ? <p class="hint pad-s">{empty}</p> : (
        <table class="key-table">
          <tbody>
            {found.slice(0, most).map((one) => (
              <tr key={one.key}>
                <th scope="row" title={one.key}>{one.key}</th>
                <td>{one.value}{one.sub && <span class="sub">{one.sub}</span>}</td>
                <td class="copy-cell"><CopyButton text={one.text} label={`Copy ${one.key}`} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {found.length > most && <Button kind="quiet" onClick={() => setMost(most + 1000)}>{`Show ${found.length - most} more`}</Button>}
      {rows.length > 0 && !found.length && <p class="hint pad-s">Nothing has these letters.</p>}
    </Panel>
  );
}

/** A description: shown as Markdown, changed as text. */
export function Description({ text, onSave }: { text: string; onSave: ((text: string) => Promise<unknown>) | null }) {
  const [draft, setDraft] = useState<string | null>(null);
  const save = () => void attempt(async () => {
    await onSave!(draft!);
    setDraft(null);
  });
  if (draft !== null) {
    return (
      <div class="description">
        <textarea
          rows={8} aria-label="Description in Markdown" value={draft} ref={(element) => { if (element && document.activeElement !== element) element.focus(); }}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setDraft(null);
            if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) save();
          }}
        />
        <div class="row">
          <Button kind="primary" onClick={save}>Save</Button>
          <Button onClick={() => setDraft(null)}>Cancel</Button>
          <span class="hint">Markdown. Ctrl Enter saves.</span>
        </div>
        {draft.trim() && <Markdown text={draft} />}
      </div>
    );
  }
  if (!text && !onSave) return null;
  return (
    <div class="description">
      {text ? <Markdown text={text} /> : null}
      {onSave && (
        <button type="button" class="add-note" onClick={() => setDraft(text)}>
          <Icon name="edit" size={14} /> {text ? "Edit the description" : "Add a description"}
        </button>
      )}
    </div>
  );
}

/** Tags, each removable, and a place to add one, for who may. */
export function Tags({ tags, onSet, onRemove }: {
  tags: readonly { key: string; value: string }[];
  onSet?: (key: string, value: string) => Promise<unknown>;
  onRemove?: (key: string) => Promise<unknown>;
}) {
  const [text, setText] = useState<string | null>(null);
  const add = () => {
    const cut = (text ?? "").indexOf("=");
    const key = (cut < 0 ? text! : text!.slice(0, cut)).trim();
    if (!key) return;
    void attempt(async () => {
      await onSet!(key, cut < 0 ? "" : text!.slice(cut + 1).trim());
      setText(null);
    });
  };
  return (
    <div class="tags">
      {tags.map((one) => (
        <span class="tag" key={one.key} title={`${one.key}=${one.value}`}>
          <b>{one.key}</b>{one.value && <span>{one.value}</span>}
          {onRemove && <button type="button" aria-label={`Remove the tag ${one.key}`} onClick={() => void attempt(() => onRemove(one.key))}><Icon name="close" size={12} /></button>}
        </span>
      ))}
      {!onSet ? (
        tags.length === 0 && <span class="dim">None.</span>
      ) : text === null ? (
        <button type="button" class="tag add" onClick={() => setText("")}><Icon name="plus" size={12} /> Tag</button>
      ) : (
        <input
          class="tag-input" aria-label="New tag, as key=value" placeholder="key=value" value={text} ref={(element) => { if (element && document.activeElement !== element) element.focus(); }}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") add();
            if (event.key === "Escape") setText(null);
          }}
          onBlur={() => (text ? add() : setText(null))}
        />
      )}
    </div>
  );
}
