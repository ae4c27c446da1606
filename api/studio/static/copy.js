// A dream's settings as others take them: the command line, and the api.

import { toast } from "./dom.js";

/** For a shell: as it is where nothing in it is special, else in single quotes. @param {string} text */
const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** What the api takes. @param {any} job */
export function asJson(job) {
  const body = { image: { sha256: job.input.sha256 }, params: job.params, format: job.format };
  for (const field of ["guides", "masks"]) {
    if (job[field].length) body[field.slice(0, -1)] = job[field].map(({ sha256 }) => ({ sha256 }));
  }
  if (job.kind === "zoom") Object.assign(body, { kind: "zoom", zoom: job.zoom });
  return JSON.stringify(body, null, 2);
}

/** What a shell takes. @param {any} job */
export function asCommand(job) {
  const parts = ["dreamfarm", "submit", quoted(job.name || "photo.jpg")];
  const { layers, terms, preset, ...params } = job.params;
  if (Object.keys(layers ?? {}).length) {
    parts.push("--layers", quoted(Object.entries(layers).map(([name, weight]) => (weight === 1 ? name : `${name}=${weight}`)).join(",")));
  }
  if (terms?.length) parts.push("--terms", quoted(JSON.stringify(terms)));
  for (const [name, value] of Object.entries(params)) {
    if (value !== null) parts.push(...option(name.replaceAll("_", "-"), value));
  }
  for (const field of ["guide", "mask"]) {
    for (let count = 0; count < job[`${field}s`].length; count += 1) parts.push(`--${field}`, `${field}.png`);
  }
  return parts.join(" ");
}

function option(name, value) {
  if (typeof value === "boolean") return value ? [`--${name}`] : [];
  return [`--${name}`, quoted(String(value))];
}

/** @param {string} text @param {string} what */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyByHand(text);
  }
  toast(`${what} is copied.`);
}

/** Where the page didn't come by TLS, browsers have no clipboard for it but this. */
function copyByHand(text) {
  const field = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
