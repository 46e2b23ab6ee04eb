// Aliases of a version: names that people load it by, each pointing at one version only.

import { useState } from "preact/hooks";
import { Button, Field } from "../../widgets/parts.tsx";
import { Dialog } from "../../widgets/overlay.tsx";
import { Icon } from "../../widgets/icon.tsx";
import { attempt, say } from "../../app/toasts.tsx";
import { source } from "../../data/index.ts";
import type { ModelVersion } from "../../data/source.ts";

export function Aliases({ version, onClose, onDone }: { version: ModelVersion; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState("");
  const [now, setNow] = useState(version.aliases);
  const { name } = version;
  const add = () => void attempt(async () => {
    const alias = text.trim().replace(/^@/, "");
    if (!alias) return;
    await source.post("registered-models/alias", { name, alias, version: version.version });
    setNow([...now.filter((one) => one !== alias), alias]);
    setText("");
    onDone();
    say(`@${alias} is version ${version.version} now.`);
  });
  const remove = (alias: string) => void attempt(async () => {
    await source.post("registered-models/alias", { name, alias }, "DELETE");
    setNow(now.filter((one) => one !== alias));
    onDone();
    say(`Removed @${alias}.`, { undo: async () => {
      await source.post("registered-models/alias", { name, alias, version: version.version });
      onDone();
    } });
  });
  return (
    <Dialog title={`Aliases of version ${version.version}`} onClose={onClose} actions={<Button onClick={onClose}>Done</Button>}>
      <p class="hint">Load it by <code>models:/{name}@alias</code>. An alias that points elsewhere moves here.</p>
      <div class="tags">
        {now.map((alias) => (
          <span class="tag" key={alias}><b>@{alias}</b><button type="button" aria-label={`Remove ${alias}`} onClick={() => remove(alias)}><Icon name="close" size={12} /></button></span>
        ))}
      </div>
      <form class="view-new" onSubmit={(event) => {
        event.preventDefault();
        add();
      }}>
        <Field label="New alias, such as champion" value={text} data-first onInput={(event) => setText(event.currentTarget.value)} />
        <Button kind="primary" disabled={!text.trim()} onClick={add}>Set</Button>
      </form>
    </Dialog>
  );
}
