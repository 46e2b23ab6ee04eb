// What has happened to the runs since the last visit: one calm line, that can be sent away.

import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../../widgets/icon.tsx";
import { keep, kept } from "../../app/kept.ts";
import { useLoad, visible } from "../../app/load.ts";
import { source } from "../../data/index.ts";
import type { News } from "../../data/source.ts";
import { ago, whole } from "../../lib/format.ts";
import { visited, type Visit } from "../../lib/visit.ts";
import { setFilter } from "./state.ts";

const ENDED = [["finished", "FINISHED"], ["failed", "FAILED"], ["killed", "KILLED"]] as const;

function useVisit(name: string): [number, () => void] {
  const [since, setSince] = useState(0);
  const shown = visible.value;
  useEffect(() => {
    const place = `visit.${name}`;
    if (!name || !shown) return;
    const look = () => {
      const visit = visited(kept<Visit>(place, { seen: 0, since: 0 }), Date.now());
      keep(place, visit);
      setSince(visit.since);
    };
    look();
    const timer = setInterval(look, 60_000);
    return () => {
      clearInterval(timer);
      look();
    };
  }, [name, shown]);
  const dismiss = () => {
    keep(`visit.${name}`, { seen: Date.now(), since: 0 });
    setSince(0);
  };
  return [since, dismiss];
}

export function SinceLastVisit({ ids }: { ids: readonly string[] }) {
  const [since, dismiss] = useVisit([...ids].sort().join(","));
  const news = useLoad<News>(since ? `news ${ids.join(",")} ${since}` : null, (signal) => source.news(ids, since, signal), 8000).data;
  if (!since || !news) return null;
  const ended = ENDED.filter(([key]) => news[key]);
  if (!ended.length && !news.stale) return null;
  return (
    <span class="news" role="status">
      <span>{`Since your last visit, ${ago(since)}:`}</span>
      {ended.map(([key, status]) => (
        <Fragment key={key}>
          {" "}<button type="button" onClick={() => setFilter(`attributes.status = '${status}' AND attributes.end_time >= ${since}`)}>{`${whole(news[key])} ${key}`}</button>
        </Fragment>
      ))}
      {" "}{news.running > 0 && <button type="button" onClick={() => setFilter("attributes.status = 'RUNNING'")}>{`${whole(news.running)} running`}</button>}
      {" "}{news.stale > 0 && <button type="button" class="warn" title="Running, they say, but nothing was logged for an hour" onClick={() => setFilter("attributes.status = 'RUNNING'")}>{`${whole(news.stale)} stale`}</button>}
      <button type="button" aria-label="Dismiss what is new" onClick={dismiss}><Icon name="close" size={12} /></button>
    </span>
  );
}
