// Starts the pages: which one is shown follows from the address.

import "./start.ts";
import { render, type ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/grid.css";
import "./style/pages.css";
import { Shell } from "./app/shell.tsx";
import { path } from "./app/router.ts";
import { Empty, Skeleton } from "./widgets/parts.tsx";

type Page = ComponentType<Record<string, never>>;

/** Each page is a file of its own, fetched when it is first shown. */
const PAGES: Record<string, () => Promise<Page>> = {
  experiments: async () => (await import("./pages/experiments.tsx")).ExperimentsPage as Page,
  run: async () => (await import("./pages/run/page.tsx")).RunPage as Page,
  compare: async () => (await import("./pages/compare/page.tsx")).ComparePage as Page,
  trash: async () => (await import("./pages/trash.tsx")).TrashPage as Page,
  users: async () => (await import("./pages/people/users.tsx")).UsersPage as Page,
  roles: async () => (await import("./pages/people/roles.tsx")).RolesPage as Page,
  role: async () => (await import("./pages/people/role.tsx")).RolePage as Page,
  audit: async () => (await import("./pages/people/audit.tsx")).AuditPage as Page,
  account: async () => (await import("./pages/people/account.tsx")).AccountPage as Page,
  access: async () => (await import("./pages/people/access.tsx")).AccessPage as Page,
  models: async () => (await import("./pages/models/list.tsx")).ModelsPage as Page,
  model: async () => (await import("./pages/models/model.tsx")).ModelPage as Page,
  versions: async () => (await import("./pages/models/versions.tsx")).VersionsPage as Page,
  logged: async () => (await import("./pages/models/logged.tsx")).LoggedModelPage as Page,
  version: async () => (await import("./pages/models/version.tsx")).VersionPage as Page,
  runs: async () => (await import("./pages/runs/page.tsx")).RunsPage as Page,
};

function pageOf([first, second, third, fourth]: readonly string[]): string | null {
  if (!first) return "experiments";
  if ((first === "experiments" || first === "models") && second && third === "access") return "access";
  if (first === "experiments") return second ? (third === "runs" && fourth ? "run" : third === "models" && fourth ? "logged" : "runs") : "experiments";
  if (first === "roles") return second ? "role" : "roles";
  if (["compare", "trash", "users", "audit", "account"].includes(first)) return first;
  if (first === "models") return second ? (third === "versions" && fourth ? "version" : third === "compare" ? "versions" : "model") : "models";
  return null;
}

const ready = new Map<string, Page>();

function Body() {
  const name = pageOf(path.value);
  const [, draw] = useState(0);
  const [failed, setFailed] = useState(false);
  const Now = name ? ready.get(name) : undefined;
  useEffect(() => {
    const load = name ? PAGES[name] : undefined;
    if (!name || !load || ready.has(name)) return;
    load().then((page) => {
      ready.set(name, page);
      setFailed(false);
      draw((before) => before + 1);
    }, () => setFailed(true));
  }, [name]);
  if (!name || !PAGES[name]) return <Empty icon="search" title="There is nothing here"><a href="#/experiments">Go to the experiments</a></Empty>;
  if (failed && !Now) return <Empty icon="warning" title="This page could not be loaded">The server does not answer, or was updated. Reload the page.</Empty>;
  return Now ? <Now /> : <div class="page pad"><Skeleton lines={8} /></div>;
}

render(<Shell><Body /></Shell>, document.getElementById("app")!);
