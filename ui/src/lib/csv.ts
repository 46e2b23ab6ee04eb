// Reads the first rows of a CSV file, quoted cells and all.

export interface Table {
  head: string[];
  rows: string[][];
  /** Whether rows or columns were left out. */
  cut: boolean;
}

export function readCsv(text: string, separator: string, mostRows = 1000, mostColumns = 200): Table {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  let wide = false;
  const endCell = () => {
    if (row.length < mostColumns) row.push(cell);
    else wide = true;
    cell = "";
  };
  let at = 0;
  for (; at < text.length && rows.length <= mostRows; at++) {
    const letter = text[at]!;
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === separator) endCell();
    else if (letter === "\n" || letter === "\r") {
      if (letter === "\r" && text[at + 1] === "\n") at++;
      endCell();
      if (row.length > 1 || row[0] !== "") rows.push(row);
      row = [];
    } else cell += letter;
  }
  if ((cell || row.length) && rows.length <= mostRows) {
    endCell();
    rows.push(row);
  }
  const [head = [], ...body] = rows;
  return { head, rows: body.slice(0, mostRows), cut: wide || at < text.length || body.length > mostRows };
}

/** The separator that the first line uses. */
export function separatorOf(text: string, name: string): string {
  if (/\.tsv$/i.test(name)) return "\t";
  const line = text.slice(0, text.indexOf("\n") < 0 ? undefined : text.indexOf("\n"));
  const times = (letter: string) => line.split(letter).length;
  return [",", ";", "\t", "|"].sort((a, b) => times(b) - times(a))[0]!;
}
