// Charts as pictures: PNG, SVG, and into the clipboard.

import { color } from "../app/theme.ts";
import { SvgPen } from "../lib/svg.ts";
import type { Brush } from "./canvas.ts";

/** What a canvas shows, on the colour of the page. */
export async function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext("2d")!;
  context.fillStyle = color("bg");
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  return new Promise((done, fail) => copy.toBlob((blob) => (blob ? done(blob) : fail(new Error("This chart could not be made a picture."))), "image/png"));
}

export async function copyPicture(canvas: HTMLCanvasElement): Promise<void> {
  if (!navigator.clipboard?.write || typeof ClipboardItem === "undefined") {
    throw new Error("This browser gives pictures to the clipboard on https:// and localhost only: save the chart instead.");
  }
  await navigator.clipboard.write([new ClipboardItem({ "image/png": pngOf(canvas) })]);
}

/** What a function draws, as an SVG document. */
export function svgOf(draw: (brush: Brush) => void, width: number, height: number): string {
  const ruler = document.createElement("canvas").getContext("2d")!;
  const pen = new SvgPen(width, height, color("bg"), (text, font) => {
    ruler.font = font;
    return ruler.measureText(text).width;
  });
  pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  draw({ context: pen as unknown as CanvasRenderingContext2D, width, height });
  return pen.toString();
}
