// Previews of files: only as much is read as is shown, and nothing in them runs.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Button, Choice, Empty, Failure, Skeleton } from "../../widgets/parts.tsx";
import { useLoad } from "../../app/load.ts";
import { source } from "../../data/index.ts";
import { readCsv, separatorOf, type Table } from "../../lib/csv.ts";
import { bytes, whole } from "../../lib/format.ts";
import { Markdown } from "../../lib/markdown.tsx";
import { Notebook } from "./notebook.tsx";

const FIRST = 256 * 1024;
const MORE = 1024 * 1024;
const MAX_LINES = 20_000;

type Kind = "image" | "audio" | "video" | "pdf" | "html" | "csv" | "parquet" | "markdown" | "notebook" | "json" | "text";

const KINDS: [RegExp, Kind][] = [
  [/\.(png|jpe?g|gif|webp|bmp|svg|avif|ico)$/i, "image"],
  [/\.(mp3|wav|ogg|oga|flac|m4a|aac|opus)$/i, "audio"],
  [/\.(mp4|webm|mov|mkv|ogv)$/i, "video"],
  [/\.pdf$/i, "pdf"],
  [/\.x?html?$/i, "html"],
  [/\.(csv|tsv)$/i, "csv"],
  [/\.parquet$/i, "parquet"],
  [/\.(md|markdown|mdx)$/i, "markdown"],
  [/\.ipynb$/i, "notebook"],
  [/\.(json|geojson|jsonl)$/i, "json"],
];

export function kindOf(path: string): Kind {
  return KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? "text";
}

export function Preview({ run, path, size }: { run: string; path: string; size: number | null }) {
  const kind = kindOf(path);
  const url = source.fileUrl(run, path);
  const name = path.split("/").pop()!;
  if (!url) return <Empty icon="file" title="What is in this file is not in this copy">{size === null ? "" : `${bytes(size)}. `}Copies hold small texts and pictures.</Empty>;
  if (kind === "image") return <Picture url={url} name={name} />;
  if (kind === "audio") return <div class="pad"><audio controls preload="metadata" src={url} aria-label={name} /></div>;
  if (kind === "video") return <div class="pad"><video controls preload="metadata" src={url} aria-label={name} /></div>;
  // The browser's own viewer, which a sandbox around the frame would not start: the answer itself takes the origin away.
  if (kind === "pdf") return <iframe class="html-frame" src={source.pageUrl(run, path)} title={name} referrerpolicy="no-referrer" />;
  if (kind === "parquet") return <Parquet run={run} path={path} size={size} />;
  return <Textual run={run} path={path} kind={kind} size={size} />;
}

function Picture({ url, name }: { url: string; name: string }) {
  const [failed, setFailed] = useState(false);
  const [fit, setFit] = useState(true);
  if (failed) return <Empty icon="warning" title="This picture cannot be shown">It may be damaged, or of a kind that this browser does not know.</Empty>;
  return (
    <button type="button" class={`picture ${fit ? "fit" : ""}`} onClick={() => setFit(!fit)} title={fit ? "Show it in its own size" : "Fit it to the page"}>
      <img src={url} alt={name} onError={() => setFailed(true)} />
    </button>
  );
}

function Textual({ run, path, kind, size }: { run: string; path: string; kind: Kind; size: number | null }) {
  const [wanted, setWanted] = useState(FIRST);
  const [raw, setRaw] = useState(false);
  useEffect(() => {
    setWanted(FIRST);
    setRaw(false);
  }, [run, path]);
  const loaded = useLoad(`text ${run} ${path} ${wanted}`, async (signal) => {
    const found = await source.bytes(run, path, 0, wanted, signal);
    return { ...found, binary: isBinary(found.body), text: new TextDecoder().decode(found.body) };
  });
  if (loaded.error) {
    // An empty file has no first byte to ask for.
    if (size === 0) return <Empty icon="file" title="This file is empty" />;
    return <Failure error={loaded.error} retry={loaded.reload} />;
  }
  if (!loaded.data) return <div class="pad"><Skeleton lines={10} /></div>;
  const { text, binary, body } = loaded.data;
  const total = loaded.data.size ?? size ?? body.length;
  const cut = body.length < total;
  if (binary) return <Empty icon="file" title="This is not text">{bytes(total)}. Download it to open it.</Empty>;
  if (!total) return <Empty icon="file" title="This file is empty" />;
  const views = kind === "text" || (kind === "html" && !source.canWrite) ? null : (
    <Choice label="How to show it" value={raw ? "raw" : "nice"} onChange={(value) => setRaw(value === "raw")} options={[["nice", kind === "html" ? "Page" : kind === "csv" ? "Table" : kind === "json" ? "Formatted" : "Rendered"], ["raw", "Source"]]} />
  );
  return (
    <div class="preview">
      {(views || cut) && (
        <div class="preview-bar">
          {views}
          {cut && <span class="note">{`The first ${bytes(body.length)} of ${bytes(total)}.`}</span>}
          {cut && body.length < 16 * MORE && <Button kind="quiet" onClick={() => setWanted(wanted + MORE)}>Read more</Button>}
        </div>
      )}
      <Shown run={run} text={text} kind={raw ? "text" : kind} path={path} cut={cut} />
    </div>
  );
}

/** Bytes that no text has, or a mark of UTF-16. */
export function isBinary(body: Uint8Array): boolean {
  const most = Math.min(body.length, 4096);
  for (let at = 0; at < most; at++) if (body[at] === 0) return true;
  return false;
}

function Shown({ run, text, kind, path, cut }: { run: string; text: string; kind: Kind; path: string; cut: boolean }) {
  if (kind === "markdown") return <div class="pad"><Markdown text={text} /></div>;
  if (kind === "csv") return <Sheet table={readCsv(cut ? text.slice(0, text.lastIndexOf("\n")) : text, separatorOf(text, path))} />;
  if (kind === "notebook" && !cut) return <Notebook text={text} fallback={<Lines text={text} />} />;
  if (kind === "html") {
    if (!source.canWrite) return <Lines text={text} />;
    // Its programs run, as charts need them to; it has no origin, so nothing of ours is in its reach, and no network.
    return <iframe class="html-frame" sandbox="allow-scripts" src={source.pageUrl(run, path)} title={path} referrerpolicy="no-referrer" />;
  }
  if (kind === "json" && !cut) return <Json text={text} />;
  return <Lines text={text} />;
}

function Json({ text }: { text: string }) {
  const found = useMemo(() => {
    if (text.length > 2_000_000) return null;
    try {
      const value: unknown = JSON.parse(text);
      const table = asTable(value);
      return table ? { table } : { pretty: JSON.stringify(value, null, 2) };
    } catch {
      return null;
    }
  }, [text]);
  if (found?.table) return <Sheet table={found.table} />;
  return <Lines text={found?.pretty ?? text} />;
}

/** The form that `mlflow.log_table` writes: columns and rows. */
function asTable(value: unknown): Table | null {
  const found = value as { columns?: unknown; data?: unknown };
  if (!found || typeof found !== "object" || !Array.isArray(found.columns) || !Array.isArray(found.data)) return null;
  if (!found.data.every(Array.isArray)) return null;
  const head = found.columns.slice(0, 200).map(String);
  const cell = (one: unknown) => (one === null || one === undefined ? "" : typeof one === "object" ? JSON.stringify(one) : String(one));
  return { head, rows: (found.data as unknown[][]).slice(0, 1000).map((row) => head.map((_, at) => cell(row[at]))), cut: found.data.length > 1000 || found.columns.length > 200 };
}

export function Lines({ text }: { text: string }) {
  const lines = useMemo(() => text.replace(/\n$/, "").split("\n"), [text]);
  const [most, setMost] = useState(2000);
  const shown = lines.slice(0, Math.min(most, MAX_LINES));
  return (
    <div class="lines" tabIndex={0} role="region" aria-label="Text of the file">
      <pre class="numbers" aria-hidden="true">{shown.map((_, at) => at + 1).join("\n")}</pre>
      <pre class="text">{shown.map((line) => (line.length > 5000 ? `${line.slice(0, 5000)}… (${whole(line.length)} characters)` : line)).join("\n")}</pre>
      {lines.length > shown.length && shown.length < MAX_LINES && <Button kind="quiet" onClick={() => setMost(most * 4)}>{`${whole(lines.length - shown.length)} more lines`}</Button>}
    </div>
  );
}

export function Sheet({ table }: { table: Table }) {
  const [most, setMost] = useState(100);
  return (
    <div class="sheet" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead><tr><th class="at">#</th>{table.head.map((name, at) => <th key={at} title={name}>{name}</th>)}</tr></thead>
        <tbody>
          {table.rows.slice(0, most).map((row, index) => (
            <tr key={index}><td class="at">{index + 1}</td>{table.head.map((_, at) => <td key={at} title={row[at] && row[at].length > 60 ? row[at].slice(0, 2000) : undefined}>{row[at]?.slice(0, 300)}</td>)}</tr>
          ))}
        </tbody>
      </table>
      {table.rows.length > most && <Button kind="quiet" onClick={() => setMost(most + 400)}>{`Show more of ${whole(table.rows.length)} rows`}</Button>}
      {table.cut && <p class="note pad-s">This is the beginning of the file.</p>}
    </div>
  );
}

function Parquet({ run, path, size }: { run: string; path: string; size: number | null }) {
  const loaded = useLoad(size ? `parquet ${run} ${path}` : null, async (signal) => {
    const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
    const file = {
      byteLength: size!,
      slice: async (start: number, end = size!) => {
        const { body } = await source.bytes(run, path, start < 0 ? size! + start : start, end < 0 ? size! + end : end, signal);
        return body.slice().buffer as ArrayBuffer;
      },
    };
    const metadata = await parquetMetadataAsync(file);
    const names = metadata.schema.filter((one) => one.num_children === undefined).map((one) => one.name).slice(0, 200);
    const rows = await parquetReadObjects({ file, metadata, rowStart: 0, rowEnd: Math.min(200, Number(metadata.num_rows)), columns: names });
    const text = (value: unknown) => (value === null || value === undefined ? "" : value instanceof Date ? value.toISOString() : typeof value === "object" ? JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one)) : String(value));
    return { total: Number(metadata.num_rows), table: { head: names, rows: rows.map((row) => names.map((name) => text(row[name]))), cut: Number(metadata.num_rows) > 200 } };
  });
  if (loaded.error) return <Empty icon="warning" title="This Parquet file cannot be shown">{loaded.error.message}</Empty>;
  if (!loaded.data) return <div class="pad"><Skeleton lines={8} /></div>;
  return (
    <div class="preview">
      <div class="preview-bar"><span class="note">{`${whole(loaded.data.total)} rows, ${whole(loaded.data.table.head.length)} columns`}</span></div>
      <Sheet table={loaded.data.table} />
    </div>
  );
}
