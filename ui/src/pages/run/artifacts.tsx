// The files of a run: a tree, a preview of the chosen one, and where it is.

import { useEffect, useState } from "preact/hooks";
import { Button, CopyButton, Empty, Failure, Skeleton } from "../../widgets/parts.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { useLoad } from "../../app/load.ts";
import { go, href } from "../../app/router.ts";
import { source } from "../../data/index.ts";
import type { Artifact, Run } from "../../data/source.ts";
import { bytes, count } from "../../lib/format.ts";
import { ModelFolder } from "./model.tsx";
import { Preview } from "./preview.tsx";

export function Artifacts({ run, path, base }: { run: Run; path: string; base: string[] }) {
  const id = run.info.run_id;
  const root = useLoad(`files ${id}`, (signal) => source.artifacts(id, "", signal), run.info.status === "RUNNING" ? 5000 : 30_000);
  const choose = (next: string) => go(href([...base, ...next.split("/")]));
  const listing = useLoad(path ? `kind ${id} ${path}` : null, async (signal) => {
    const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
    const around = await source.artifacts(id, parent, signal);
    const own = around.find((one) => one.path === path);
    const inside = own && !own.is_dir ? [] : await source.artifacts(id, path, signal);
    return { own, inside };
  });
  if (root.error && !root.data) return <Failure error={root.error} retry={root.reload} />;
  if (!root.data) return <div class="pad"><Skeleton lines={8} /></div>;
  if (!root.data.length) {
    return <Empty icon="folder" title="No files">Files that the run logs with <code>mlflow.log_artifact</code> or <code>log_model</code> are shown here.</Empty>;
  }
  const own = listing.stale ? undefined : listing.data?.own;
  const inside = listing.stale ? undefined : listing.data?.inside;
  const isFolder = path === "" || own?.is_dir || (!own && (inside?.length ?? 0) > 0);
  return (
    <div class={`artifacts ${path ? "chosen" : ""}`}>
      <div class="tree" role="tree" aria-label="Files">
        {root.data.map((one) => <Node key={one.path} entry={one} run={id} chosen={path} onChoose={choose} depth={0} />)}
      </div>
      <div class="artifact-view">
        {!path ? (
          <Empty icon="file" title="Select a file">
            <Where run={run} path="" />
            {source.canWrite && <a class="button" href={source.archiveUrl(id, "")} download={`${run.info.run_name || id}.zip`}><Icon name="download" /><span>Download all files</span></a>}
          </Empty>
        ) : listing.error ? (
          <Failure error={listing.error} retry={listing.reload} />
        ) : listing.stale || !listing.data ? (
          <div class="pad"><Skeleton lines={6} /></div>
        ) : !own && !isFolder ? (
          <Empty icon="search" title="This file is not there"><code>{path}</code></Empty>
        ) : (
          <>
            <header class="artifact-head">
              <Button kind="quiet" icon="left" label="Back to the files" onClick={() => go(href(base))} />
              <h2 title={path}>{path.split("/").pop()}</h2>
              <span class="dim">{isFolder ? count(inside?.length ?? 0, "entry").replace("entrys", "entries") : own?.file_size !== null && own ? bytes(own.file_size ?? 0) : ""}</span>
              <span class="spring" />
              {(isFolder ? source.archiveUrl(id, path) : source.fileUrl(id, path)) && <a class="button" href={isFolder ? source.archiveUrl(id, path) : source.fileUrl(id, path)} download={`${path.split("/").pop()}${isFolder ? ".zip" : ""}`}><Icon name="download" /><span>Download</span></a>}
            </header>
            <Where run={run} path={path} />
            {isFolder ? (
              inside?.some((one) => one.path.endsWith("/MLmodel")) ? <ModelFolder run={run} path={path} /> : <FolderList entries={inside ?? []} onChoose={choose} />
            ) : (
              <Preview run={id} path={path} size={own?.file_size ?? null} />
            )}
          </>
        )}
      </div>
    </div>
  );
}

/** The full path and the URI of a file or folder, to copy. */
function Where({ run, path }: { run: Run; path: string }) {
  const full = `${run.info.artifact_uri.replace(/\/$/, "")}${path ? `/${path}` : ""}`;
  const uri = `runs:/${run.info.run_id}${path ? `/${path}` : ""}`;
  return (
    <div class="where">
      <span class="where-line"><span class="dim">Path</span><code title={full}>{full}</code><CopyButton text={full} label="Copy the full path" /></span>
      <span class="where-line"><span class="dim">URI</span><code title={uri}>{uri}</code><CopyButton text={uri} label="Copy the URI" /></span>
    </div>
  );
}

function FolderList({ entries, onChoose }: { entries: Artifact[]; onChoose: (path: string) => void }) {
  const [most, setMost] = useState(200);
  return (
    <div class="folder-list">
      {entries.slice(0, most).map((one) => (
        <button type="button" key={one.path} onClick={() => onChoose(one.path)}>
          <Icon name={one.is_dir ? "folder" : "file"} />
          <span>{one.path.split("/").pop()}</span>
          <span class="dim">{one.file_size === null ? "" : bytes(one.file_size)}</span>
        </button>
      ))}
      {entries.length > most && <Button kind="quiet" onClick={() => setMost(most + 1000)}>{`${entries.length - most} more`}</Button>}
    </div>
  );
}

function Node({ entry, run, chosen, onChoose, depth }: { entry: Artifact; run: string; chosen: string; onChoose: (path: string) => void; depth: number }) {
  const holds = chosen === entry.path || chosen.startsWith(`${entry.path}/`);
  const [open, setOpen] = useState(holds);
  useEffect(() => {
    if (holds) setOpen(true);
  }, [holds]);
  const inside = useLoad(entry.is_dir && open ? `files ${run} ${entry.path}` : null, (signal) => source.artifacts(run, entry.path, signal));
  const [most, setMost] = useState(200);
  const name = entry.path.split("/").pop()!;
  const press = () => {
    if (entry.is_dir) setOpen(chosen === entry.path ? !open : true);
    onChoose(entry.path);
  };
  const keys = (event: KeyboardEvent) => {
    const all = [...(event.currentTarget as HTMLElement).closest(".tree")!.querySelectorAll<HTMLElement>("[role=treeitem] > button")];
    const at = all.indexOf(event.currentTarget as HTMLElement);
    if (event.key === "ArrowDown") all[at + 1]?.focus();
    else if (event.key === "ArrowUp") all[at - 1]?.focus();
    else if (event.key === "ArrowRight" && entry.is_dir) setOpen(true);
    else if (event.key === "ArrowLeft") setOpen(false);
    else return;
    event.preventDefault();
  };
  return (
    <div role="treeitem" aria-expanded={entry.is_dir ? open : undefined} aria-selected={chosen === entry.path}>
      <button type="button" class={`node ${chosen === entry.path ? "on" : ""}`} style={{ paddingLeft: `${8 + depth * 14}px` }} onClick={press} onKeyDown={keys} title={name}>
        {entry.is_dir ? <Icon name={open ? "down" : "right"} size={12} /> : <i class="node-gap" />}
        <Icon name={entry.is_dir ? "folder" : "file"} size={14} />
        <span>{name}</span>
        {entry.file_size !== null && <em>{bytes(entry.file_size)}</em>}
      </button>
      {open && entry.is_dir && (
        <div role="group">
          {inside.error && <p class="hint pad-s">{inside.error.message}</p>}
          {(inside.data ?? []).slice(0, most).map((one) => <Node key={one.path} entry={one} run={run} chosen={chosen} onChoose={onChoose} depth={depth + 1} />)}
          {(inside.data?.length ?? 0) > most && <Button kind="quiet" onClick={() => setMost(most + 1000)}>{`${inside.data!.length - most} more`}</Button>}
        </div>
      )}
    </div>
  );
}
