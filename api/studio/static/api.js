// The farm's public HTTP api. Every error becomes a sentence for people.

export const SIGN_IN_WANTED = "sign-in-wanted";

export class Problem extends Error {
  constructor(detail, { code = "unknown", status = 0, errors = [] } = {}) {
    super(detail);
    Object.assign(this, { code, status, errors });
  }
}

/** @param {{detail?: string, errors?: {pointer: string, detail: string}[]} | null} body @param {number} status */
function sentence(body, status) {
  const fields = (body?.errors ?? []).map(({ pointer, detail }) => `${pointer.split("/").pop() ?? ""}: ${detail}`);
  if (fields.length) return fields.join(" ");
  return body?.detail ?? `The farm answered with an error (${status}).`;
}

/** @param {string} path @param {RequestInit & {json?: unknown}} [options] */
export async function call(path, { json, headers, ...options } = {}) {
  const sent = { Accept: "application/json", ...headers, ...(json !== undefined && { "Content-Type": "application/json" }) };
  let response;
  try {
    response = await fetch(path, { headers: sent, ...(json !== undefined && { body: JSON.stringify(json) }), ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The farm doesn't answer. Check that it is running, then try again.");
  }
  const body = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.status === 401) document.dispatchEvent(new Event(SIGN_IN_WANTED));
  if (response.ok) return body;
  throw new Problem(sentence(body, response.status), { ...body, status: response.status });
}

const post = (path, json, more = {}) => call(path, { method: "POST", ...(json && { json }), ...more });

/** A name for a call, so that the same call made twice makes one thing. */
export const onceKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("");

export const whoAmI = () => call("/v1/session");
export const signIn = (key) => post("/v1/session", { key });
export const signOut = () => call("/v1/session", { method: "DELETE" });

export const listModels = async () => (await call("/v1/models")).models;
export const getModel = (name, side = 512) => call(`/v1/models/${encodeURIComponent(name)}?width=${side}&height=${side}`);

export const listJobs = (query) => call(`/v1/jobs?${new URLSearchParams(query)}`);

/** All jobs of a batch, page by page. @param {string} batch */
export async function listJobsOf(batch) {
  const all = [];
  for (let cursor = ""; cursor !== null; ) {
    const page = await listJobs({ batch, limit: "200", ...(cursor && { cursor }) });
    all.push(...page.jobs);
    cursor = page.next_cursor ?? null;
  }
  return all;
}

export const getJob = (id) => call(`/v1/jobs/${encodeURIComponent(id)}`);
export const cancelJob = (id) => post(`/v1/jobs/${id}/cancel`);
export const retryJob = (id) => post(`/v1/jobs/${id}/retry`);
export const deleteJob = (id) => call(`/v1/jobs/${id}`, { method: "DELETE" });
export const estimate = (body, signal) => post("/v1/estimate", body, { signal });
export const submitJob = (body) => post("/v1/jobs", body, { headers: { "Idempotency-Key": onceKey() } });

export const listBatches = (query) => call(`/v1/batches?${new URLSearchParams(query)}`);
export const getBatch = (id) => call(`/v1/batches/${encodeURIComponent(id)}`);
export const cancelBatch = (id) => post(`/v1/batches/${id}/cancel`);
export const retryFailed = (id) => post(`/v1/batches/${id}/retry-failed`);
export const submitBatch = (body) => post("/v1/batches", body, { headers: { "Idempotency-Key": onceKey() } });

export const listWorkers = async () => (await call("/v1/workers")).workers;
export const drainWorker = (id) => post(`/v1/workers/${encodeURIComponent(id)}/drain`);
export const bringBack = (id) => post(`/v1/workers/${encodeURIComponent(id)}/bring-back`);
export const getHistory = () => call("/v1/history");

export const listKeys = async () => (await call("/v1/keys")).keys;
export const makeKey = (body) => post("/v1/keys", body, { headers: { "Idempotency-Key": onceKey() } });
export const revokeKey = (id) => call(`/v1/keys/${id}`, { method: "DELETE" });

/** Store a picture, and return its SHA-256 and size. @param {Blob} file */
export function storePicture(file) {
  const body = new FormData();
  body.append("image", file, "picture");
  return call("/v1/pictures", { method: "POST", body });
}

/** Hand in a picture with all that goes with it. @param {{image: Blob, name: string, guide?: Blob, mask?: Blob, fields: object}} job */
export function dreamPicture({ image, name, guide, mask, fields }) {
  const body = new FormData();
  body.append("image", image, "picture");
  if (guide) body.append("guide", guide, "guide");
  if (mask) body.append("mask", mask, "mask.png");
  if (name) body.append("name", name.slice(-200));
  for (const [field, value] of Object.entries(fields)) {
    body.append(field, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  return call("/v1/jobs", { method: "POST", body, headers: { "Idempotency-Key": onceKey() } });
}
