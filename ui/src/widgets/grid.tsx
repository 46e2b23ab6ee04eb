// The grid: rows and columns that exist only while they are in view, with a leading part that stays.

import type { ComponentChildren, JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { columnSpan, edges, reordered, rowSpan } from "../lib/virtual.ts";

export interface GridColumn {
  id: string;
  width: number;
  numeric: boolean;
}

export interface GridProps<C extends GridColumn> {
  label: string;
  count: number;
  /** Columns that scroll. */
  columns: readonly C[];
  /** Columns that stay, after the lead. */
  pinned: readonly C[];
  leadWidth: number;
  /** A function, as effects keep the properties of an earlier drawing: an element would keep all of that drawing. */
  leadHeader: () => ComponentChildren;
  lead: (row: number) => ComponentChildren;
  header: (column: C) => ComponentChildren;
  cell: (row: number, column: C) => ComponentChildren;
  rowKey: (row: number) => string;
  rowClass?: (row: number) => string;
  rowHeight?: number;
  headHeight?: number;
  /** The row that the keyboard is on. */
  focus: number;
  onFocus: (row: number) => void;
  onOpen?: (row: number) => void;
  onSelect?: (row: number, event: { shift: boolean; toggle: boolean }) => void;
  onHover?: (row: number | null) => void;
  onRange?: (from: number, to: number) => void;
  /** The columns in view, those that stay among them. */
  onColumns?: (ids: string[]) => void;
  onResize?: (column: C, width: number, done: boolean) => void;
  onLead?: ((width: number, done: boolean) => void) | undefined;
  onReorder?: (ids: string[]) => void;
  onKey?: (event: KeyboardEvent, row: number) => boolean;
  busy?: boolean;
}

interface Box {
  top: number;
  left: number;
  width: number;
  height: number;
}

/**
 * The part of an element that is scrolled into view, and what measures it again.
 *
 * By itself, as the browser holds its watcher: one that saw the properties of the first drawing would
 * keep that drawing, and by its elements' parents every later one.
 */
function useBox(scroller: RefObject<HTMLDivElement | null>): [Box, () => void] {
  const [box, setBox] = useState<Box>({ top: 0, left: 0, width: 1200, height: 700 });
  const frame = useRef(0);
  const measure = () => {
    frame.current = 0;
    const element = scroller.current;
    if (!element) return;
    const now = { top: element.scrollTop, left: element.scrollLeft, width: element.clientWidth, height: element.clientHeight };
    setBox((before) => (before.top === now.top && before.left === now.left && before.width === now.width && before.height === now.height ? before : now));
  };
  const later = () => {
    if (!frame.current) frame.current = requestAnimationFrame(measure);
  };
  useLayoutEffect(measure, []);
  useEffect(() => {
    const watcher = new ResizeObserver(later);
    watcher.observe(scroller.current!);
    return () => watcher.disconnect();
  }, []);
  return [box, later];
}

export function Grid<C extends GridColumn>(props: GridProps<C>) {
  const { count, columns, pinned, leadWidth, rowHeight = 30, headHeight = 34, focus } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [box, later] = useBox(scroller);

  const stay = leadWidth + pinned.reduce((sum, one) => sum + one.width, 0);
  const edge = edges(columns.map((one) => one.width));
  const rows = rowSpan(box.top, box.height - headHeight, rowHeight, count);
  const shown = columnSpan(box.left, Math.max(0, box.width - stay), edge);
  const width = stay + edge.at(-1)!;
  const inView = columns.slice(shown.from, shown.to);
  const before = edge[shown.from]!;

  useEffect(() => {
    props.onRange?.(rows.from, rows.to);
  }, [rows.from, rows.to, count, props.onRange]);

  const names = [...pinned, ...inView].map((one) => one.id).join("\n");
  useEffect(() => {
    props.onColumns?.(names ? names.split("\n") : []);
  }, [names, props.onColumns]);

  const reveal = (row: number) => {
    const element = scroller.current!;
    const top = row * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight - headHeight) {
      element.scrollTop = top + rowHeight - element.clientHeight + headHeight;
    }
  };
  const key = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement) !== scroller.current) return;
    if (props.onKey?.(event, focus)) {
      event.preventDefault();
      return;
    }
    const page = Math.max(1, Math.floor((box.height - headHeight) / rowHeight) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: page, PageUp: -page, Home: -count, End: count };
    const step = event.metaKey || event.ctrlKey ? undefined : steps[event.key];
    if (step !== undefined && count) {
      const next = Math.max(0, Math.min(count - 1, focus + step));
      props.onFocus(next);
      reveal(next);
      if (event.shiftKey && Math.abs(step) === 1) props.onSelect?.(next, { shift: true, toggle: false });
      event.preventDefault();
    } else if (event.key === "Enter" && focus >= 0) props.onOpen?.(focus);
    else if (event.key === " " && focus >= 0) {
      props.onSelect?.(focus, { shift: event.shiftKey, toggle: true });
      event.preventDefault();
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      scroller.current!.scrollLeft += event.key === "ArrowRight" ? 120 : -120;
      event.preventDefault();
    }
  };

  const list: JSX.Element[] = [];
  for (let row = rows.from; row < rows.to; row++) {
    list.push(
      <div
        key={props.rowKey(row)} id={`row-${row}`} role="row" aria-rowindex={row + 2}
        class={`grid-row ${row === focus ? "focused" : ""} ${props.rowClass?.(row) ?? ""}`}
        style={{ top: `${row * rowHeight}px`, height: `${rowHeight}px`, width: `${width}px` }}
        data-row={row}
      >
        <div class="grid-stay">
          <div class="grid-cell lead" role="rowheader" style={{ width: `${leadWidth}px` }}>{props.lead(row)}</div>
          {pinned.map((one) => cellOf(one, row))}
        </div>
        {before > 0 && <i style={{ flex: `0 0 ${before}px` }} />}
        {inView.map((one) => cellOf(one, row))}
      </div>,
    );
  }
  function cellOf(one: C, row: number) {
    return (
      <div class={`grid-cell ${one.numeric ? "number" : ""}`} role="gridcell" key={one.id} style={{ width: `${one.width}px` }}>
        {props.cell(row, one)}
      </div>
    );
  }
  function headOf(one: C) {
    return (
      <div class={`grid-cell head ${one.numeric ? "number" : ""}`} role="columnheader" key={one.id} data-column={one.id} style={{ width: `${one.width}px` }}>
        {props.header(one)}
        {props.onResize && <Handle column={one} onResize={props.onResize} />}
      </div>
    );
  }
  const drag = useHeadDrag(scroller, columns, props.onReorder);

  return (
    <div
      class={`grid ${props.busy ? "busy" : ""}`} role="grid" aria-label={props.label} aria-rowcount={count + 1} aria-colcount={1 + pinned.length + columns.length}
      aria-activedescendant={focus >= rows.from && focus < rows.to ? `row-${focus}` : undefined} aria-multiselectable={!!props.onSelect} aria-busy={!!props.busy}
      tabIndex={0} ref={scroller} onScroll={later} onKeyDown={key}
      onPointerOver={(event) => props.onHover?.(rowOf(event.target))}
      onPointerLeave={() => props.onHover?.(null)}
      onClick={(event) => {
        const row = rowOf(event.target);
        if (row === null) return;
        props.onFocus(row);
        if ((event.target as HTMLElement).closest("a,button,input,label")) return;
        props.onSelect?.(row, { shift: event.shiftKey, toggle: event.metaKey || event.ctrlKey || !event.shiftKey });
      }}
    >
      <div class="grid-head" role="row" aria-rowindex={1} style={{ width: `${width}px`, height: `${headHeight}px` }} onPointerDown={drag}>
        <div class="grid-stay">
          <div class="grid-cell head lead" role="columnheader" style={{ width: `${leadWidth}px` }}>{props.leadHeader()}{props.onLead && <Handle column={leadColumn(leadWidth)} onResize={(_, size, done) => props.onLead!(size, done)} />}</div>
          {pinned.map(headOf)}
        </div>
        {before > 0 && <i style={{ flex: `0 0 ${before}px` }} />}
        {inView.map(headOf)}
      </div>
      <div class="grid-body" role="rowgroup" style={{ height: `${count * rowHeight}px`, width: `${width}px` }}>{list}</div>
    </div>
  );
}

function leadColumn(width: number): GridColumn {
  return { id: "lead", width, numeric: false };
}

function rowOf(target: EventTarget | null): number | null {
  const row = (target as HTMLElement | null)?.closest?.("[data-row]");
  return row ? Number((row as HTMLElement).dataset["row"]) : null;
}

function Handle<C extends GridColumn>({ column, onResize }: { column: C; onResize: (column: C, width: number, done: boolean) => void }) {
  const start = (event: PointerEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const from = event.clientX;
    const width = column.width;
    let last = width;
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    const move = (now: PointerEvent) => {
      last = Math.max(48, Math.round(width + now.clientX - from));
      onResize(column, last, false);
    };
    const end = () => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
      onResize(column, last, true);
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
  };
  return <span class="grid-handle" onPointerDown={start} onClick={(event) => event.stopPropagation()} />;
}

/** Headers are dragged to another place; the line shows where they will be. */
function useHeadDrag<C extends GridColumn>(scroller: { current: HTMLDivElement | null }, columns: readonly C[], onReorder?: (ids: string[]) => void) {
  return (event: PointerEvent) => {
    const head = (event.target as HTMLElement).closest<HTMLElement>("[data-column]");
    const id = head?.dataset["column"];
    if (!head || !id || !onReorder || event.button !== 0 || !columns.some((one) => one.id === id)) return;
    const from = event.clientX;
    let target: { id: string; behind: boolean } | null = null;
    let moved = false;
    const clear = () => scroller.current?.querySelectorAll(".drop-before,.drop-behind,.dragged").forEach((one) => one.classList.remove("drop-before", "drop-behind", "dragged"));
    const move = (now: PointerEvent) => {
      if (!moved && Math.abs(now.clientX - from) < 6) return;
      moved = true;
      clear();
      head.classList.add("dragged");
      const over = document.elementFromPoint(now.clientX, event.clientY)?.closest<HTMLElement>("[data-column]");
      const other = over?.dataset["column"];
      if (!over || !other || !columns.some((one) => one.id === other)) return;
      const box = over.getBoundingClientRect();
      const behind = now.clientX > box.left + box.width / 2;
      over.classList.add(behind ? "drop-behind" : "drop-before");
      target = { id: other, behind };
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      clear();
      if (!moved) return;
      // The click that follows is the end of this drag.
      addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
      if (target) onReorder(reordered(columns.map((one) => one.id), id, target.id, target.behind));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  };
}
