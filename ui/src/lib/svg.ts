// What draws on a canvas, drawing an SVG document: the part of the canvas's language that our charts use.

type Matrix = [number, number, number, number, number, number];

interface State {
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  globalAlpha: number;
  font: string;
  textAlign: string;
  textBaseline: string;
  lineJoin: string;
  dash: number[];
  matrix: Matrix;
}

const ANCHORS: Record<string, string> = { center: "middle", right: "end", end: "end" };

function escaped(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function short(value: number): string {
  return String(Number(value.toFixed(2)));
}

export class SvgPen {
  fillStyle = "#000";
  strokeStyle = "#000";
  lineWidth = 1;
  globalAlpha = 1;
  font = "11px sans-serif";
  textAlign = "start";
  textBaseline = "alphabetic";
  lineJoin = "miter";
  private dash: number[] = [];
  private matrix: Matrix = [1, 0, 0, 1, 0, 0];
  private path = "";
  private readonly parts: string[] = [];
  private readonly kept: State[] = [];

  constructor(private readonly width: number, private readonly height: number, private readonly background: string, private readonly measure: (text: string, font: string) => number) {}

  save(): void {
    const { fillStyle, strokeStyle, lineWidth, globalAlpha, font, textAlign, textBaseline, lineJoin, dash, matrix } = this;
    this.kept.push({ fillStyle, strokeStyle, lineWidth, globalAlpha, font, textAlign, textBaseline, lineJoin, dash, matrix });
  }

  restore(): void {
    Object.assign(this, this.kept.pop());
  }

  translate(x: number, y: number): void {
    const [a, b, c, d, e, f] = this.matrix;
    this.matrix = [a, b, c, d, a * x + c * y + e, b * x + d * y + f];
  }

  rotate(angle: number): void {
    const [a, b, c, d, e, f] = this.matrix;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    this.matrix = [a * cos + c * sin, b * cos + d * sin, c * cos - a * sin, d * cos - b * sin, e, f];
  }

  setLineDash(dash: number[]): void {
    this.dash = dash;
  }

  clearRect(): void {
    // A new document is empty.
  }

  beginPath(): void {
    this.path = "";
  }

  moveTo(x: number, y: number): void {
    this.path += `M${short(x)} ${short(y)}`;
  }

  lineTo(x: number, y: number): void {
    this.path += `${this.path ? "L" : "M"}${short(x)} ${short(y)}`;
  }

  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void {
    this.path += `C${[ax, ay, bx, by, x, y].map(short).join(" ")}`;
  }

  closePath(): void {
    this.path += "Z";
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`;
  }

  /** Whole circles only: our charts draw no others. */
  arc(x: number, y: number, radius: number): void {
    const r = short(radius);
    this.path += `M${short(x - radius)} ${short(y)}a${r} ${r} 0 1 0 ${short(2 * radius)} 0a${r} ${r} 0 1 0 ${short(-2 * radius)} 0Z`;
  }

  fill(): void {
    this.put("path", `d="${this.path}" fill="${escaped(String(this.fillStyle))}"`);
  }

  stroke(): void {
    this.put("path", `d="${this.path}" fill="none" ${this.pen()}`);
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.put("rect", `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${escaped(String(this.fillStyle))}"`);
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    this.put("rect", `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="none" ${this.pen()}`);
  }

  fillText(text: string, x: number, y: number): void {
    this.text(text, x, y, `fill="${escaped(String(this.fillStyle))}"`);
  }

  strokeText(text: string, x: number, y: number): void {
    this.text(text, x, y, `fill="none" ${this.pen()}`);
  }

  measureText(text: string): { width: number } {
    return { width: this.measure(text, this.font) };
  }

  /** The document. */
  toString(): string {
    const { width, height } = this;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="${escaped(this.background)}"/>${this.parts.join("")}</svg>`;
  }

  private pen(): string {
    return `stroke="${escaped(String(this.strokeStyle))}" stroke-width="${short(this.lineWidth)}"${this.lineJoin === "round" ? ' stroke-linejoin="round"' : ""}${this.dash.length ? ` stroke-dasharray="${this.dash.map(short).join(" ")}"` : ""}`;
  }

  private text(text: string, x: number, y: number, how: string): void {
    const [, size = "11", family = "sans-serif"] = /([\d.]+)px\s+(.*)$/.exec(this.font) ?? [];
    const anchor = ANCHORS[this.textAlign];
    const middle = this.textBaseline === "middle" ? ' dominant-baseline="central"' : "";
    this.put("text", `x="${short(x)}" y="${short(y)}" font-size="${size}" font-family="${escaped(family)}"${anchor ? ` text-anchor="${anchor}"` : ""}${middle} ${how}`, escaped(text));
  }

  private put(tag: string, attributes: string, content = ""): void {
    const moved = this.matrix.some((one, at) => one !== [1, 0, 0, 1, 0, 0][at]) ? ` transform="matrix(${this.matrix.map((one) => String(Number(one.toFixed(4)))).join(" ")})"` : "";
    const faint = this.globalAlpha < 1 ? ` opacity="${short(this.globalAlpha)}"` : "";
    this.parts.push(`<${tag} ${attributes}${moved}${faint}${content ? `>${content}</${tag}>` : "/>"}`);
  }
}
