// Runs before everything else: a page that is a copy shows first what was on show when it was made.

import { copy } from "./data/index.ts";

if (copy?.place.startsWith("#/") && location.hash.length < 3) history.replaceState(null, "", copy.place);
