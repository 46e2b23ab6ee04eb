// What an experiment is about: its description, tags and whereabouts, changed where they are read.

import { Button, CopyButton, Time } from "../../widgets/parts.tsx";
import { Description, Facts, Panel, Tags } from "../../widgets/facts.tsx";
import { reloadExperiments } from "../../app/experiments.ts";
import type { May } from "../../app/rights.ts";
import { patch, query } from "../../app/router.ts";
import { say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import type { Experiment } from "../../data/source.ts";
import { isOwnTag } from "../../lib/columns.ts";
import { plainMarkdown } from "../../lib/markdown.tsx";

const NOTE = "mlflow.note.content";

const isOpen = () => query.value["about"] === "1";

const toggle = () => patch({ about: isOpen() ? undefined : "1" });

/** The first words of the description, and the button that opens the rest. */
export function AboutButton({ experiment }: { experiment: Experiment }) {
  const note = plainMarkdown(experiment.tags[NOTE] ?? "");
  return (
    <>
      <Button kind="quiet" icon="info" label="About this experiment" pressed={isOpen()} onClick={toggle} />
      {note && !isOpen() && <button type="button" class="about-note" tabIndex={-1} title={note.slice(0, 400)} onClick={toggle}>{note}</button>}
    </>
  );
}

/** The panel itself; nothing while it is closed. What is deleted is shown, and cannot be changed. */
export function About({ experiment, may }: { experiment: Experiment; may: May }) {
  if (!isOpen()) return null;
  const { id, tags, stage } = experiment;
  const own = Object.entries(tags).filter(([key]) => isOwnTag(key)).map(([key, value]) => ({ key, value }));
  const active = stage === "active";
  const set = async (key: string, value: string) => {
    await source.post("experiments/set-experiment-tag", { experiment_id: id, key, value });
    await reloadExperiments();
  };
  const remove = async (key: string) => {
    await source.post("experiments/delete-experiment-tag", { experiment_id: id, key });
    await reloadExperiments();
    say(`Removed the tag ${key}.`, { undo: () => set(key, tags[key] ?? "") });
  };
  return (
    <section class="about" aria-label="About this experiment">
      <Description text={tags[NOTE] ?? ""} onSave={active && may.can("set_experiment_tag") ? (text) => set(NOTE, text) : null} />
      <div class="about-side">
        <Panel title="Tags">
          <Tags tags={own} {...(active && may.can("set_experiment_tag") ? { onSet: set } : {})} {...(active && may.can("delete_experiment_tag") ? { onRemove: remove } : {})} />
        </Panel>
        <Facts
          rows={[
            ["ID", <span class="row-s"><code>{id}</code><CopyButton text={id} label="Copy the id" /></span>],
            ["Created", <Time value={experiment.created} />],
            ["Artifacts", <span class="row-s"><code class="clip" title={experiment.location}>{experiment.location}</code><CopyButton text={experiment.location} label="Copy the artifact location" /></span>],
          ]}
        />
      </div>
    </section>
  );
}
