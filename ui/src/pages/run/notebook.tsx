// A notebook to look at: text, code and pictures; what its outputs would run is left out.

import type { ComponentChildren } from "preact";
import { Markdown } from "../../lib/markdown.tsx";

interface Cell {
  cell_type?: string;
  source?: string | string[];
  outputs?: { output_type?: string; text?: string | string[]; data?: Record<string, string | string[]>; ename?: string; evalue?: string }[];
}

const MAX_CELLS = 500;
const PICTURES = ["image/png", "image/jpeg", "image/gif"];

function joined(text: unknown): string {
  return Array.isArray(text) ? text.map(String).join("") : typeof text === "string" ? text : "";
}

export function Notebook({ text, fallback }: { text: string; fallback: ComponentChildren }) {
  let cells: Cell[];
  try {
    const found = JSON.parse(text) as { cells?: unknown };
    if (!Array.isArray(found.cells)) return <>{fallback}</>;
    cells = found.cells as Cell[];
  } catch {
    return <>{fallback}</>;
  }
  return (
    <div class="notebook">
      {cells.slice(0, MAX_CELLS).map((cell, at) => (
        <section key={at} class={cell?.cell_type === "code" ? "cell code-cell" : "cell"}>
          {cell?.cell_type === "markdown" ? <Markdown text={joined(cell.source)} /> : <pre tabIndex={0}>{joined(cell?.source)}</pre>}
          {(Array.isArray(cell?.outputs) ? cell.outputs : []).slice(0, 50).map((output, index) => <Output key={index} output={output} />)}
        </section>
      ))}
      {cells.length > MAX_CELLS && <p class="note">The first {MAX_CELLS} of {cells.length} cells.</p>}
    </div>
  );
}

function Output({ output }: { output: NonNullable<Cell["outputs"]>[number] }) {
  const data = output?.data ?? {};
  const picture = PICTURES.find((type) => type in data);
  if (picture) {
    const content = joined(data[picture]).replace(/\s+/g, "");
    if (/^[A-Za-z0-9+/=]+$/.test(content)) return <img alt="Output of the cell" src={`data:${picture};base64,${content}`} />;
  }
  const text = joined(output?.text) || joined(data["text/plain"]) || (output?.ename ? `${output.ename}: ${output.evalue ?? ""}` : "");
  return text ? <pre class="output" tabIndex={0}>{text.replace(/\u001b\[[0-9;]*m/g, "").slice(0, 100_000)}</pre> : null;
}
