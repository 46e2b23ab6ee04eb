// Parts of a page that are fetched when they are first shown.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, Skeleton } from "./parts.tsx";

/** A component that loads the real one; what it will be is grey lines until then. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let ready: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [, draw] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (ready) return;
      load().then((found) => {
        ready = found;
        draw((before) => before + 1);
      }, () => setFailed(true));
    }, []);
    const Real = ready;
    if (Real) return <Real {...props} />;
    if (failed) return <Empty icon="warning" title="This part could not be loaded">The server does not answer, or was updated. Reload the page.</Empty>;
    return <div class="pad"><Skeleton lines={8} /></div>;
  };
}
