// What others see where only administrators have something to do.

import type { ComponentChildren } from "preact";
import { Empty, Skeleton } from "../widgets/parts.tsx";
import { who } from "./account.tsx";

/** Shows its content to administrators, and to others why there is none. */
export function AdministratorsOnly({ what, children }: { what: string; children: ComponentChildren }) {
  if (who.value === undefined) return <div class="page pad"><Skeleton lines={8} height={18} /></div>;
  if (who.value?.is_admin) return <>{children}</>;
  return (
    <Empty icon="users" title={who.value ? "For administrators" : "This server has no users"}>
      {who.value ? `Only administrators see ${what}. Ask one of them.` : <p>It was started without <code>--app-name basic-auth</code>: everybody who reaches it may do everything.</p>}
    </Empty>
  );
}
