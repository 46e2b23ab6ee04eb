// The source in use.

import { ServerSource } from "./server.ts";

export { writes } from "./server.ts";

export const source = new ServerSource();
