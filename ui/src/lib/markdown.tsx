// Markdown as elements of our own: no HTML is ever made from text, so there is nothing to sanitise.

import type { ComponentChildren } from "preact";

const MAX = 200_000;

/** Whether a link may be followed: web, mail, or a place in these pages. */
export function safeLink(target: string): string | null {
  const cleaned = target.replace(/[\u0000-\u0020\u007f]+/g, "");
  if (/^(https?:|mailto:)/i.test(cleaned)) return cleaned;
  if (/^#/.test(cleaned)) return cleaned;
  return null;
}

/** The words of a text without its marks. */
export function plainMarkdown(text: string): string {
  return text.slice(0, 2000).replace(/```[\s\S]*?```/g, " ").replace(/[#>*_`~]+/g, "").replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/\s+/g, " ").trim();
}

export function Markdown({ text }: { text: string }) {
  return <div class="markdown">{blocks(text.slice(0, MAX).replace(/\r\n?/g, "\n").split("\n"))}</div>;
}

function blocks(lines: string[], depth = 0): ComponentChildren[] {
  const found: ComponentChildren[] = [];
  let at = 0;
  const key = () => found.length;
  while (at < lines.length) {
    const line = lines[at]!;
    if (!line.trim()) {
      at++;
      continue;
    }
    const fence = /^\s*(```|~~~)/.exec(line);
    if (fence) {
      const end = lines.findIndex((one, index) => index > at && one.trim().startsWith(fence[1]!));
      const stop = end < 0 ? lines.length : end;
      found.push(<pre key={key()} tabIndex={0}><code>{lines.slice(at + 1, stop).join("\n")}</code></pre>);
      at = stop + 1;
      continue;
    }
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (heading) {
      // A page has one first heading, and it is not this one.
      const Tag = `h${Math.min(6, heading[1]!.length + 2)}` as "h3";
      found.push(<Tag key={key()}>{spans(heading[2]!)}</Tag>);
      at++;
      continue;
    }
    if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      found.push(<hr key={key()} />);
      at++;
      continue;
    }
    if (/^\s*>/.test(line) && depth < 8) {
      const from = at;
      while (at < lines.length && /^\s*>/.test(lines[at]!)) at++;
      found.push(<blockquote key={key()}>{blocks(lines.slice(from, at).map((one) => one.replace(/^\s*>\s?/, "")), depth + 1)}</blockquote>);
      continue;
    }
    const item = /^(\s*)([-*+]|\d{1,9}[.)])\s+/.exec(line);
    if (item && depth < 8) {
      const ordered = /\d/.test(item[2]!);
      const items: string[][] = [];
      while (at < lines.length) {
        const next = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/.exec(lines[at]!);
        if (next && next[1]!.length <= item[1]!.length + 1 && /\d/.test(next[2]!) === ordered) items.push([next[3]!]);
        else if (items.length && (/^\s{2,}\S/.test(lines[at]!) || (!lines[at]!.trim() && /^\s{2,}\S/.test(lines[at + 1] ?? "")))) items.at(-1)!.push(lines[at]!.replace(/^\s{1,4}/, ""));
        else break;
        at++;
      }
      const children = items.map((one, index) => <li key={index}>{one.length === 1 ? spans(one[0]!) : blocks(one, depth + 1)}</li>);
      found.push(ordered ? <ol key={key()}>{children}</ol> : <ul key={key()}>{children}</ul>);
      continue;
    }
    if (line.includes("|") && /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/.test(lines[at + 1] ?? "")) {
      const cells = (one: string) => one.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());
      const head = cells(line);
      const rows: string[][] = [];
      at += 2;
      while (at < lines.length && lines[at]!.includes("|")) rows.push(cells(lines[at++]!));
      found.push(
        <table key={key()}>
          <thead><tr>{head.map((cell, index) => <th key={index}>{spans(cell)}</th>)}</tr></thead>
          <tbody>{rows.slice(0, 500).map((row, index) => <tr key={index}>{head.map((_, cell) => <td key={cell}>{spans(row[cell] ?? "")}</td>)}</tr>)}</tbody>
        </table>,
      );
      continue;
    }
    const from = at;
    while (at < lines.length && lines[at]!.trim() && !/^\s*(```|~~~|#{1,6}\s|>|[-*+]\s|\d{1,9}[.)]\s)/.test(at === from ? "" : lines[at]!)) at++;
    if (at === from) at++;
    found.push(<p key={key()}>{spans(lines.slice(from, at).join("\n"))}</p>);
  }
  return found;
}

const SPAN = /(`+)([\s\S]+?)\1|!?\[([^\]\n]{0,500})\]\(\s*<?([^)\s>]{0,2000})>?(?:\s+"[^"]*")?\s*\)|<(https?:[^>\s]{1,2000})>|(https?:\/\/[^\s<>()]{1,2000}[^\s<>().,;:!?'"])|\*\*([^*\n]{1,2000})\*\*|__([^_\n]{1,2000})__|\*([^*\n]{1,2000})\*|(?<![A-Za-z0-9])_([^_\n]{1,2000})_(?![A-Za-z0-9])|~~([^~\n]{1,2000})~~| {2,}\n/g;

function spans(text: string, depth = 0): ComponentChildren[] {
  const found: ComponentChildren[] = [];
  let from = 0;
  for (const match of text.matchAll(SPAN)) {
    if (match.index > from) found.push(text.slice(from, match.index));
    found.push(span(match, depth));
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push(text.slice(from));
  return found;
}

function span(match: RegExpMatchArray, depth: number): ComponentChildren {
  const [whole, , code, label, target, bracketed, bare, strong, strong2, soft, soft2, struck] = match;
  const inner = (value: string) => (depth < 6 ? spans(value, depth + 1) : value);
  if (code !== undefined) return <code>{code.trim()}</code>;
  if (label !== undefined) {
    const link = safeLink(target ?? "");
    // A picture would be fetched from wherever its author says: it is named, and may be followed.
    const shown = whole.startsWith("!") ? `🖼 ${label || "picture"}` : inner(label);
    return link ? <a href={link} rel="noopener noreferrer" {...(link.startsWith("#") ? {} : { target: "_blank" })}>{shown}</a> : <span>{shown}</span>;
  }
  const address = bracketed ?? bare;
  if (address !== undefined) return <a href={safeLink(address) ?? "#"} rel="noopener noreferrer" target="_blank">{address}</a>;
  if (strong !== undefined || strong2 !== undefined) return <strong>{inner((strong ?? strong2)!)}</strong>;
  if (soft !== undefined || soft2 !== undefined) return <em>{inner((soft ?? soft2)!)}</em>;
  if (struck !== undefined) return <del>{inner(struck)}</del>;
  return <br />;
}
