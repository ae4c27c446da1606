// Server-sent events by fetch, because the browser's own reader of them can't send a key.

import { withKey } from "./key.js";

const AGAIN_MS = 1000;

// Give each update to `take` until the job rests; ends when there is no stream to be had.
export async function readEvents(path, take, signal) {
  let last = "";
  while (!signal.aborted) {
    try {
      const headers = withKey({ Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) });
      const response = await fetch(path, { headers, signal });
      if (response.status !== 200) return;
      for await (const event of events(response.body)) {
        last = event.id ?? last;
        if (event.event === "update") take(JSON.parse(event.data));
      }
    } catch {
      // The farm went away, or the reader left; the loop tells which.
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (text + part.value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) yield fields(block);
  }
}

function fields(block) {
  const pairs = block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
  return Object.fromEntries(pairs);
}
