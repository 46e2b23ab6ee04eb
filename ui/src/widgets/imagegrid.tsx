// Images that runs logged as series: a grid of steps and runs, each opened side by side with a slider over steps.

import { useMemo, useState } from "preact/hooks";
import { useLoad } from "../app/load.ts";
import { source } from "../data/index.ts";
import { count, whole } from "../lib/format.ts";
import { imageSeries, shotAt, thinned, type Shot } from "../lib/images.ts";
import { Dialog } from "./overlay.tsx";
import { Choice, Empty, Failure, Skeleton } from "./parts.tsx";

const FOLDER = "images";
const [MOST_RUNS, MOST_STEPS, MOST_BESIDE] = [30, 24, 6];

export interface ImageRun {
  id: string;
  name: string;
  color: string;
}

export function ImageGrid({ runs, every = 0 }: { runs: readonly ImageRun[]; every?: number }) {
  const shown = runs.slice(0, MOST_RUNS);
  const loaded = useLoad(shown.length ? `images ${shown.map((one) => one.id).join(",")}` : null, async (signal) => {
    const all = await Promise.all(shown.map((one) => source.artifacts(one.id, FOLDER, signal)));
    return all.map(imageSeries);
  }, every);
  const [open, setOpen] = useState<{ key: string; step: number } | null>(null);
  const keys = useMemo(() => [...new Set((loaded.data ?? []).flatMap((one) => [...one.keys()]))].sort(), [loaded.data]);
  if (loaded.error && !loaded.data) return <Failure error={loaded.error} retry={loaded.reload} />;
  if (!loaded.data || loaded.stale) return <div class="pad"><Skeleton lines={8} /></div>;
  if (!keys.length) return <Empty icon="file" title="No images">Series of <code>mlflow.log_image(image, key="…", step=…)</code> are shown here.</Empty>;
  const series = (key: string) => shown.map((run, at) => ({ run, shots: loaded.data![at]!.get(key) ?? [] })).filter((one) => one.shots.length);
  return (
    <div class="image-series">
      {keys.map((key) => {
        const own = series(key);
        const steps = [...new Set(own.flatMap((one) => one.shots.map((shot) => shot.step)))].sort((a, b) => a - b);
        const columns = thinned(steps, MOST_STEPS);
        return (
          <section key={key} aria-label={`Images of ${key}`}>
            <h3 class="section-title">{key} <span class="dim">{`${count(steps.length, "step")}${columns.length < steps.length ? `, ${columns.length} shown` : ""}`}</span></h3>
            <div class="image-grid" tabIndex={0} role="region" aria-label={`Grid of ${key}`}>
              <table>
                <thead><tr><th><span class="sr">Run</span></th>{columns.map((step) => <th key={step} scope="col">{whole(step)}</th>)}</tr></thead>
                <tbody>
                  {own.map(({ run, shots }) => (
                    <tr key={run.id}>
                      <th scope="row"><i class="dot" style={{ background: run.color }} /><span title={run.name}>{run.name}</span></th>
                      {columns.map((step) => {
                        const shot = shots.find((one) => one.step === step);
                        return <td key={step}>{shot ? <button type="button" aria-label={`${key} of ${run.name} at step ${step}`} onClick={() => setOpen({ key, step })}><img loading="lazy" decoding="async" src={source.fileUrl(run.id, shot.small)} alt="" /></button> : <span class="image-none" />}</td>;
                      })}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </section>
        );
      })}
      {open && <Beside name={open.key} first={open.step} series={series(open.key)} onClose={() => setOpen(null)} />}
    </div>
  );
}

/** The images of some runs at one step, beside each other or one over the other. */
function Beside({ name, first, series, onClose }: { name: string; first: number; series: { run: ImageRun; shots: Shot[] }[]; onClose: () => void }) {
  const steps = useMemo(() => [...new Set(series.flatMap((one) => one.shots.map((shot) => shot.step)))].sort((a, b) => a - b), [series]);
  const [at, setAt] = useState(Math.max(0, steps.indexOf(first)));
  const [mode, setMode] = useState<"beside" | "over">("beside");
  const [cut, setCut] = useState(50);
  const step = steps[Math.min(at, steps.length - 1)]!;
  const shown = series.slice(0, MOST_BESIDE).map(({ run, shots }) => ({ run, shot: shotAt(shots, step) }));
  const pair = shown.filter((one) => one.shot).slice(0, 2);
  return (
    <Dialog title={name} wide onClose={onClose}>
      <div class="image-tools">
        <label class="slider">
          <span>Step</span>
          <input type="range" data-first min="0" max={steps.length - 1} step="1" value={at} aria-label="Step" aria-valuetext={`step ${step}`} onInput={(event) => setAt(Number(event.currentTarget.value))} />
          <output>{whole(step)}</output>
        </label>
        {pair.length === 2 && <Choice label="How to compare" value={mode} onChange={setMode} options={[["beside", "Side by side"], ["over", "One over the other"]]} />}
      </div>
      {mode === "over" && pair.length === 2 ? (
        <div class="image-over">
          <div class="image-wipe">
            <img src={source.fileUrl(pair[0]!.run.id, pair[0]!.shot!.full)} alt={`${pair[0]!.run.name} at step ${step}`} />
            <img src={source.fileUrl(pair[1]!.run.id, pair[1]!.shot!.full)} alt={`${pair[1]!.run.name} at step ${step}`} style={{ clipPath: `inset(0 0 0 ${cut}%)` }} />
            <i style={{ left: `${cut}%` }} />
          </div>
          <label class="slider"><span>{pair[0]!.run.name}</span><input type="range" min="0" max="100" value={cut} aria-label="How much of each image" onInput={(event) => setCut(Number(event.currentTarget.value))} /><span>{pair[1]!.run.name}</span></label>
        </div>
      ) : (
        <div class="image-beside">
          {shown.map(({ run, shot }) => (
            <figure key={run.id}>
              {shot ? <a href={source.fileUrl(run.id, shot.full)} target="_blank" rel="noreferrer"><img src={source.fileUrl(run.id, shot.full)} alt={`${run.name} at step ${shot.step}`} /></a> : <span class="image-none" />}
              <figcaption><i class="dot" style={{ background: run.color }} /><span>{run.name}</span>{shot && shot.step !== step && <span class="dim">{`step ${whole(shot.step)}`}</span>}</figcaption>
            </figure>
          ))}
        </div>
      )}
      {series.length > MOST_BESIDE && <p class="hint">{`The first ${MOST_BESIDE} of ${series.length} runs.`}</p>}
    </Dialog>
  );
}
