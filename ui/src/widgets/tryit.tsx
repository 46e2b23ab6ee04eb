// A form that sends a request to a scoring server which somebody runs, and shows what it answers.

import { useRef, useState } from "preact/hooks";
import { keepText, keptText } from "../app/kept.ts";
import type { ModelInfo } from "../lib/mlmodel.ts";
import { addressOf, isPlain, requestOf, template } from "../lib/tryit.ts";
import { Panel } from "./facts.tsx";
import { Button, Choice } from "./parts.tsx";

interface Told {
  status: number;
  text: string;
  ms: number;
}

const PATIENCE = 60_000;
let last = 0;

/** Sends a request from a frame that may ask this one address. */
function send(origin: string, url: string, body: string, token: string): Promise<Told> {
  return new Promise((done, fail) => {
    const frame = document.createElement("iframe");
    const id = ++last;
    frame.hidden = true;
    frame.title = "Request to the scoring server";
    frame.src = `ui-api/caller?${new URLSearchParams({ to: origin })}`;
    const timer = setTimeout(() => end(() => fail(new Error("There was no answer within a minute."))), PATIENCE);
    const hear = (event: MessageEvent<{ ready?: boolean; id?: number } & Told>) => {
      if (event.source !== frame.contentWindow || event.origin !== location.origin) return;
      const { data } = event;
      if (data.ready) {
        const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
        frame.contentWindow!.postMessage({ id, url, body, headers }, location.origin);
      } else if (data.id === id) end(() => done(data));
    };
    const end = (say: () => void) => {
      clearTimeout(timer);
      removeEventListener("message", hear);
      frame.remove();
      say();
    };
    addEventListener("message", hear);
    document.body.append(frame);
  });
}

export function TryIt({ info }: { info: ModelInfo }) {
  const plain = isPlain(info.inputs);
  const [address, setAddress] = useState(keptText("scoring") ?? "http://127.0.0.1:5001");
  const [token, setToken] = useState("");
  const [mode, setMode] = useState<"form" | "json">(plain ? "form" : "json");
  const [values, setValues] = useState<Record<string, string>>({});
  const [text, setText] = useState(() => template(info.inputs));
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<Told | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const ask = async () => {
    setWrong(null);
    setBusy(true);
    try {
      const { origin, url } = addressOf(address);
      const body = mode === "form" && isPlain(info.inputs) ? requestOf(info.inputs, values) : text;
      keepText("scoring", address);
      const found = await send(origin, url, body, token.trim());
      if (found.status) setTold(found);
      else setWrong(`${url} does not answer, or does not let pages of ${location.origin} ask. On another machine, start it with MILLSTREAM_SCORING_ALLOWED_ORIGINS=${location.origin}.`);
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="Try it" actions={plain && <Choice label="How to write the request" value={mode} options={[["form", "Form"], ["json", "JSON"]]} onChange={(next) => {
      if (next === "json" && isPlain(info.inputs)) {
        try {
          setText(JSON.stringify(JSON.parse(requestOf(info.inputs, values)), null, 1));
        } catch {
          // What is not complete yet does not replace what was written.
        }
      }
      setMode(next);
    }} />}>
      <form class="try-it" ref={form} onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}>
        <label class="stacked"><span>Address of the scoring server</span><input type="text" value={address} spellcheck={false} onInput={(event) => setAddress(event.currentTarget.value)} /></label>
        <label class="stacked"><span>Token, if it asks for one</span><input type="password" autocomplete="off" value={token} onInput={(event) => setToken(event.currentTarget.value)} /></label>
        {mode === "form" && isPlain(info.inputs) ? (
          <div class="try-fields">
            {info.inputs.map((one) => (
              <label class="stacked" key={one.name}><span>{one.name} <span class="dim">{one.type}{one.required ? "" : ", optional"}</span></span>
                <input type="text" value={values[one.name] ?? ""} spellcheck={false} onInput={(event) => setValues({ ...values, [one.name]: event.currentTarget.value })} />
              </label>
            ))}
          </div>
        ) : (
          <label class="stacked try-wide"><span>Request, as JSON</span><textarea rows={7} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
        )}
        <div class="row try-wide">
          <Button kind="primary" disabled={busy} onClick={() => void ask()}>{busy ? "Waiting…" : "Send"}</Button>
          <span class="hint">Your browser asks the server at this address; nothing passes through this one.</span>
        </div>
      </form>
      {wrong && <p class="note warn" role="alert">{wrong}</p>}
      {told && !wrong && (
        <div class="try-told" role="status">
          <p><span class={`chip ${told.status === 200 ? "finished" : "failed"}`}>{told.status}</span> <span class="dim">{`after ${Math.round(told.ms)} ms`}</span></p>
          <pre tabIndex={0}>{told.text.slice(0, 20_000)}</pre>
        </div>
      )}
    </Panel>
  );
}
