// The program of the frame that asks a scoring server: it passes one request on, and the answer back.

interface Asked {
  id: number;
  url: string;
  body: string;
  headers: Record<string, string>;
}

addEventListener("message", (event: MessageEvent<Asked>) => {
  if (event.origin !== location.origin || event.source !== parent) return;
  const { id, url, body, headers } = event.data;
  const began = performance.now();
  const tell = (found: { status: number; text: string }) => parent.postMessage({ id, ...found, ms: performance.now() - began }, location.origin);
  fetch(url, { method: "POST", body, headers, credentials: "omit", redirect: "error" }).then(async (reply) => tell({ status: reply.status, text: await reply.text() }), (error: unknown) => tell({ status: 0, text: String(error) }));
});
parent.postMessage({ ready: true }, location.origin);
