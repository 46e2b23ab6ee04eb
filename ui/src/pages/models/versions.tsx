// Versions of a registered model side by side: what their runs measured, what they take and give, what they need.

import { useEffect, useMemo } from "preact/hooks";
import { Button, Empty, Failure, Skeleton } from "../../widgets/parts.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { useLoad } from "../../app/load.ts";
import { go, href, patch, path, query } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { ModelVersion } from "../../data/source.ts";
import { count, type Cell } from "../../lib/format.ts";
import { placeOf, versionColumns, type ModelInfo } from "../../lib/mlmodel.ts";
import { list, readList } from "../../lib/url.ts";
import { DiffTable } from "../compare/table.tsx";
import { packagesAt } from "../compare/packages.ts";
import { modelAt } from "../run/model.tsx";

const MOST = 12;

interface Known {
  info: ModelInfo | null;
  packages: Map<string, string> | null;
}

async function known(version: ModelVersion, signal: AbortSignal): Promise<Known> {
  const place = placeOf(version);
  if (!place) return { info: null, packages: null };
  // A version whose files are gone is still compared by what its run has.
  const info = await modelAt(place, signal).catch(() => null);
  return { info, packages: await packagesAt(place.id, place.folder, signal).catch(() => null) };
}

export function VersionsPage() {
  const name = path.value[1] ?? "";
  const wanted = readList(query.value["versions"]).slice(0, MOST);
  const loaded = useLoad(wanted.length ? `versions of ${name} ${wanted.join(",")}` : null, async (signal) => {
    const all = await source.versions(`name = '${name.replaceAll("'", "''")}'`, signal);
    const found = wanted.map((number) => all.find((one) => one.version === number)).filter((one) => one !== undefined);
    const runs = [...new Set(found.map((one) => one.run_id).filter(Boolean))];
    const compared = runs.length ? await source.compare(runs, signal) : null;
    return { versions: found, compared, known: await Promise.all(found.map((one) => known(one, signal))) };
  });
  useEffect(() => {
    document.title = `Versions of ${name} · Millstream`;
  }, [name]);
  const data = loaded.stale ? undefined : loaded.data;
  const columns = useMemo((): Record<string, Cell[]> => (data ? versionColumns(data.versions, data.compared?.columns ?? {}, data.known) : {}), [data]);
  if (!wanted.length) return <Empty icon="compare" title="Nothing to compare"><p>Choose versions of a model first.</p></Empty>;
  return (
    <div class="page compare-page">
      <header class="page-head">
        <nav class="crumbs" aria-label="Breadcrumb"><a href="#/models">Models</a><Icon name="right" size={12} /><a href={href(["models", name])}>{name}</a><Icon name="right" size={12} /></nav>
        <h1>{`Compare ${count(wanted.length, "version")}`}</h1>
        <span class="spring" />
        {data && data.versions.filter((one) => one.run_id).length > 1 && <Button icon="chart" onClick={() => go(href(["compare"], { runs: list([...new Set(data.versions.map((one) => one.run_id).filter(Boolean))]), tab: "charts" }))}>Charts of their runs</Button>}
      </header>
      {loaded.error && !data ? <Failure error={loaded.error} retry={loaded.reload} />
        : !data ? <div class="pad"><Skeleton lines={10} /></div>
        : !data.versions.length ? <Empty icon="box" title="These versions are not there">They may have been deleted.</Empty>
        : (
          <DiffTable
            label="Differences between the versions" columns={columns} ids={data.versions.map((one) => one.version)} nameOf={(at) => `Version ${data.versions[at]!.version}`}
            hrefOf={(at) => href(["models", name, "versions", data.versions[at]!.version])} onIds={(ids) => patch({ versions: list(ids) })}
          />
        )}
    </div>
  );
}
