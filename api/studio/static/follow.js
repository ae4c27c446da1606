// A job's changes: as a stream of events while there is one, else by looking from time to time.

import { getJob } from "./api.js";

const AGAIN_MS = 1000;
const POLL_MS = 2000;
const RESTING = new Set(["succeeded", "failed", "canceled", "expired"]);

/** @param {string} state */
export const isResting = (state) => RESTING.has(state);

/**
 * Tell of a job's changes until it rests; the first it tells is what was before.
 * @param {string} id
 * @param {(event: any) => void} onEvent
 * @param {(answers: boolean) => void} [onLine] whether the farm answers
 * @param {number} [known] `seq` of the newest change that is known; an end before it was followed by a new try
 * @returns {() => void} ends it
 */
export function followJob(id, onEvent, onLine = () => {}, known = 0) {
  const leaving = new AbortController();
  let seq = -1;
  const take = (event) => {
    onLine(true);
    if (leaving.signal.aborted || event.seq <= seq) return;
    seq = event.seq;
    onEvent(event);
    if (isResting(event.state) && event.seq >= known) leaving.abort();
  };
  readEvents(`/v1/jobs/${id}/events`, take, leaving.signal, onLine).then(() => poll(id, take, leaving, onLine));
  return () => leaving.abort();
}

/** @param {string} id @param {(event: any) => void} take @param {AbortController} leaving @param {(answers: boolean) => void} onLine */
async function poll(id, take, leaving, onLine) {
  while (!leaving.signal.aborted) {
    try {
      const job = await getJob(id);
      take({ ...job, previews: "preview" in job.links ? Math.max(1, job.progress.octave - 1) : 0 });
    } catch (problem) {
      if (problem.status === 404) leaving.abort();
      onLine(false);
    }
    await pause(POLL_MS);
  }
}

const pause = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));

/** Read until the job rests; ends early where there is no stream to be had. */
async function readEvents(path, take, signal, onLine) {
  let last = "";
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) };
      const response = await fetch(path, { headers, signal });
      if (response.status !== 200 && response.status < 500) return;
      if (response.status >= 500) throw new Error("the farm is not itself");
      onLine(true);
      for await (const event of events(response.body)) {
        last = event.id ?? last;
        if (event.event === "update") take(JSON.parse(event.data));
      }
    } catch {
      if (!signal.aborted) onLine(false);
    }
    if (!signal.aborted) await pause(AGAIN_MS);
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
