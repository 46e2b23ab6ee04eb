// A canvas of the right size and sharpness, drawn again when size, theme or data change.

import { useEffect, useRef, useState } from "preact/hooks";
import { isDark } from "../app/theme.ts";

export interface Brush {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
}

export function useCanvas(draw: (brush: Brush) => void, depends: readonly unknown[]) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<[number, number]>([0, 0]);
  const dark = isDark.value;
  useEffect(() => {
    const element = canvas.current!;
    const watcher = new ResizeObserver(() => setSize([element.clientWidth, element.clientHeight]));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current!;
    const [width, height] = size;
    if (!width || !height) return;
    const ratio = devicePixelRatio || 1;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    const context = element.getContext("2d")!;
    context.scale(ratio, ratio);
    context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    draw({ context, width, height });
  }, [size[0], size[1], dark, ...depends]);
  return { canvas, size };
}
