// The source in use.

import { FileSource } from "./file.ts";
import { ServerSource } from "./server.ts";
import type { Source, Writer } from "./source.ts";

/** Said by the build: whether the data is in the page itself. */
declare const ONE_FILE: boolean;

export { writes } from "./server.ts";

const file = ONE_FILE ? new FileSource() : null;

export const source: Source & Writer = file ?? new ServerSource();
/** When this page was made, ms, and what it shows first; null for pages of a server. */
export const copy: { made: number; place: string } | null = file;
