// The farm's public HTTP api. Every error becomes a sentence for people.

import { KEY_WANTED, withKey } from "./key.js";
import { readEvents } from "./stream.js";

export class Problem extends Error {
  constructor(detail, { code = "unknown", status = 0, errors = [] } = {}) {
    super(detail);
    Object.assign(this, { code, status, errors });
  }
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { headers: withKey({ Accept: "application/json" }), ...options });
  } catch {
    throw new Problem("The farm doesn't answer. Check that it is running, then try again.");
  }
  if (response.status === 401) {
    document.dispatchEvent(new Event(KEY_WANTED));
    throw new Problem("This farm asks for a key: enter yours above.", { status: 401 });
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  throw new Problem(body?.detail ?? `The farm answered with an error (${response.status}).`, { ...body, status: response.status });
}

// An image can't show a key, so the page asks where its bytes are.
export const linkTo = async (path) => (await call(path)).url;
export const getModel = (name) => call(`/v1/models/${encodeURIComponent(name)}`);
export const listModels = async () => (await call("/v1/models")).models;
export const listJobs = async (limit) => (await call(`/v1/jobs?limit=${limit}`)).jobs;
export const getJob = (id) => call(`/v1/jobs/${id}`);
export const listWorkers = async () => (await call("/v1/workers")).workers;
export const cancelJob = (id) => call(`/v1/jobs/${id}/cancel`, { method: "POST" });
export const retryJob = (id) => call(`/v1/jobs/${id}/retry`, { method: "POST" });

export function submitJob(image, params) {
  const body = new FormData();
  body.append("image", image);
  body.append("params", JSON.stringify(params));
  return call("/v1/jobs", { method: "POST", body });
}

const POLL_MS = 2000;
const RESTING = new Set(["succeeded", "failed", "canceled", "expired"]);
export const isResting = (state) => RESTING.has(state);

// Tell `onEvent` of a job's changes until it rests; where there is no stream, look at the job from time to time.
export function followJob(id, { after = -1, onEvent }) {
  let seq = after;
  let over = false;
  const leaving = new AbortController();
  const stop = () => {
    over = true;
    leaving.abort();
  };
  const take = (event) => {
    if (over || event.seq <= seq) return;
    seq = event.seq;
    onEvent(event);
    if (isResting(event.state)) stop();
  };
  const poll = async () => {
    if (over) return;
    try {
      const job = await getJob(id);
      take({ ...job, previews: Math.max(0, job.progress.octave - 1) });
    } catch (problem) {
      if (problem.status === 404) stop();
    }
    setTimeout(poll, POLL_MS);
  };
  readEvents(`/v1/jobs/${id}/events`, take, leaving.signal).then(poll);
  return stop;
}
