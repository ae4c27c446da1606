// The farm's public HTTP api. Every error becomes a sentence for people.

export class Problem extends Error {
  constructor(detail, { code = "unknown", status = 0, errors = [] } = {}) {
    super(detail);
    Object.assign(this, { code, status, errors });
  }
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, ...options });
  } catch {
    throw new Problem("The farm doesn't answer. Check that it is running, then try again.");
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  throw new Problem(body?.detail ?? `The farm answered with an error (${response.status}).`, { ...body, status: response.status });
}

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
  const source = new EventSource(`/v1/jobs/${id}/events`);
  const stop = () => {
    over = true;
    source.close();
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
  source.addEventListener("update", (message) => take(JSON.parse(message.data)));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) poll();
  });
  return stop;
}
