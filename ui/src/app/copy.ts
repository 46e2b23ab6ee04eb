// Saving what is on show as one page that needs no server.

import { source } from "../data/index.ts";
import type { Ask } from "../data/source.ts";
import { bytes } from "../lib/format.ts";
import { download } from "../lib/save.ts";
import { attempt, say } from "./toasts.tsx";

export async function saveCopy(which: Ask, place: string, name: string): Promise<void> {
  await attempt(async () => {
    say("Collecting the runs, their charts and small files…");
    const file = await source.saveFile(which, place);
    download(`${name}.html`, file, "text/html");
    say(`Saved ${name}.html, ${bytes(file.size)}: it opens in any browser, without a server.`);
  });
}
