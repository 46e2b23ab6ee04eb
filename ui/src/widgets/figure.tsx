// The frame of a chart that draws itself: reading by pointer and arrows, a table behind it, pictures of it.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { attempt, say } from "../app/toasts.tsx";
import { metric, num, whole, type Cell } from "../lib/format.ts";
import { csvOf, download } from "../lib/save.ts";
import { useCanvas, type Brush } from "./canvas.ts";
import { Drop } from "./overlay.tsx";
import { Button } from "./parts.tsx";
import { copyPicture, pngOf, svgOf } from "./picture.ts";

/** Places of a chart that can be dragged, such as its axes. */
export interface Handles {
  /** The handle at a place; -1 for none. */
  at: (left: number, size: readonly [number, number]) => number;
  /** Called while one is dragged between two heights; `done` when it is let go. */
  drag: (handle: number, from: number, to: number, size: readonly [number, number], done: boolean) => void;
  /** Called for Escape while no row is marked. */
  clear: () => void;
}

export interface FigureProps {
  /** What files of it are called. */
  name: string;
  /** What it shows, in words. */
  label: string;
  /** The table behind it; its rows are what arrows go through. */
  head: readonly string[];
  rows: readonly (readonly Cell[])[];
  /** The row that is marked from elsewhere; -1 for none. */
  marked?: number;
  /** The row at a place; -1 for none. */
  find: (left: number, top: number, size: readonly [number, number]) => number;
  onMark?: (row: number) => void;
  onOpen?: (row: number) => void;
  handles?: Handles;
  draw: (brush: Brush, marked: number) => void;
  depends: readonly unknown[];
  children?: ComponentChildren;
}

const shown = (cell: Cell) => {
  const number = metric(cell);
  return number === null ? String(cell ?? "–") : num(number);
};

export function Figure({ name, label, head, rows, marked = -1, find, onMark, onOpen, handles, draw, depends, children }: FigureProps) {
  const [own, setOwn] = useState(-1);
  const [place, setPlace] = useState<[number, number]>([0, 0]);
  const [asTable, setAsTable] = useState(false);
  const held = useRef<{ handle: number; from: number } | null>(null);
  const at = own >= 0 && own < rows.length ? own : marked;
  const paint = useRef<(brush: Brush) => void>(() => undefined);
  paint.current = (brush) => draw(brush, at);
  const { canvas, size } = useCanvas((brush) => paint.current(brush), [...depends, at, asTable]);
  const mark = (row: number) => {
    setOwn(row);
    onMark?.(row);
  };
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key] ?? 0;
    if (step && rows.length) {
      setPlace([8, 8]);
      mark(own < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, own + step)));
    } else if (event.key === "Enter" && own >= 0) onOpen?.(own);
    else if (event.key === "Escape" && own >= 0) mark(-1);
    else if (event.key === "Escape" && handles) handles.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const tip = own >= 0 ? rows[own] : undefined;
  return (
    <figure class="figure">
      <FigureTools name={name} asTable={asTable} onTable={() => setAsTable(!asTable)} canvas={() => canvas.current} svg={() => svgOf((brush) => draw(brush, -1), ...size)} csv={() => csvOf(head, rows)} />
      <div class="figure-plot">
        <canvas
          ref={canvas} role="img" tabIndex={0} hidden={asTable} aria-label={`${label} Arrow keys read it; the table has all of it.`} onKeyDown={move}
          onPointerDown={(event) => {
            const handle = handles?.at(event.offsetX, size) ?? -1;
            if (handle < 0) return;
            canvas.current!.setPointerCapture(event.pointerId);
            held.current = { handle, from: event.offsetY };
          }}
          onPointerUp={(event) => {
            const was = held.current;
            if (was) handles?.drag(was.handle, was.from, event.offsetY, size, true);
          }}
          onPointerMove={(event) => {
            if (held.current && event.buttons) {
              handles?.drag(held.current.handle, held.current.from, event.offsetY, size, false);
              return;
            }
            const row = find(event.offsetX, event.offsetY, size);
            setPlace([event.offsetX, event.offsetY]);
            if (row !== own) mark(row);
            const isHandle = (handles?.at(event.offsetX, size) ?? -1) >= 0;
            canvas.current!.style.cursor = isHandle ? "ns-resize" : row >= 0 && onOpen ? "pointer" : "default";
          }}
          onPointerLeave={() => mark(-1)} onBlur={() => mark(-1)}
          onClick={(event) => {
            // The click that ends a drag is none.
            const dragged = held.current;
            held.current = null;
            if (dragged) return;
            const row = find(event.offsetX, event.offsetY, size);
            if (row >= 0) onOpen?.(row);
          }}
        />
        {!asTable && (
          <div class="plot-tip" aria-live="polite" hidden={!tip} style={{ left: `${Math.max(0, Math.min(place[0] + 14, size[0] - 230))}px`, top: `${place[1]}px` }}>
            {tip && <div class="tip-head">{shown(tip[0])}</div>}
            {tip && head.slice(1).map((text, column) => <div class="tip-line" key={text}><span>{text}</span><b>{shown(tip[column + 1])}</b></div>)}
          </div>
        )}
      </div>
      {asTable && <FigureTable head={head} rows={rows} label={label} {...(onOpen ? { onOpen } : {})} />}
      {children}
    </figure>
  );
}

/** The buttons of a chart: its table, the clipboard, files. */
export function FigureTools({ name, asTable, onTable, canvas, svg, csv }: {
  name: string;
  asTable: boolean;
  onTable: () => void;
  canvas: () => HTMLCanvasElement | null;
  svg: () => string;
  csv: () => string;
}) {
  const picture = (work: (found: HTMLCanvasElement) => Promise<void>) => void attempt(async () => {
    const found = canvas();
    if (!found) throw new Error("There is no picture while the table is shown.");
    await work(found);
  });
  return (
    <span class="figure-tools">
      <Button kind="quiet" icon="table" label={asTable ? `Show the chart of ${name}` : `Show the table behind ${name}`} pressed={asTable} onClick={onTable} />
      <Drop label={`Save the chart of ${name}`} icon="download" title="Save" kind="quiet">
        {(close) => {
          const item = (text: string, run: () => void) => <button type="button" role="menuitem" onClick={() => { close(); run(); }}>{text}</button>;
          return (
            <div class="menu" role="menu" aria-label={`Save the chart of ${name}`}>
              {item("Copy the picture", () => picture(async (found) => {
                await copyPicture(found);
                say("The chart is in the clipboard.");
              }))}
              {item("PNG picture", () => picture(async (found) => download(`${name}.png`, await pngOf(found), "image/png")))}
              {item("SVG drawing", () => void attempt(async () => download(`${name}.svg`, svg(), "image/svg+xml")))}
              {item("CSV of what is drawn", () => download(`${name}.csv`, csv(), "text/csv"))}
            </div>
          );
        }}
      </Drop>
    </span>
  );
}

/** The table behind a chart, a part at a time. */
export function FigureTable({ head, rows, label, onOpen }: { head: readonly string[]; rows: readonly (readonly Cell[])[]; label: string; onOpen?: (row: number) => void }) {
  const [most, setMost] = useState(100);
  return (
    <div class="sheet figure-table" tabIndex={0} role="region" aria-label={`Table: ${label}`}>
      <table>
        <thead><tr>{head.map((text, at) => <th key={at} scope="col">{text}</th>)}</tr></thead>
        <tbody>
          {rows.slice(0, most).map((row, index) => (
            <tr key={index}>{row.map((cell, at) => (at === 0 && onOpen ? <td key={at}><button type="button" class="link" onClick={() => onOpen(index)}>{shown(cell)}</button></td> : <td key={at} title={String(cell ?? "")}>{shown(cell)}</td>))}</tr>
          ))}
        </tbody>
      </table>
      {rows.length > most && <Button kind="quiet" onClick={() => setMost(most + 400)}>{`Show more of ${whole(rows.length)} rows`}</Button>}
    </div>
  );
}
