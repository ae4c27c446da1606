// A dream's settings as others take them: the command line, and the api.

import { toast } from "./dom.js";

/** For a shell: as it is where nothing in it is special, else in single quotes. @param {string} text */
const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** A name as a file of the folder one is in, never an option or an address. @param {string} name */
const fileName = (name) => (/^-|^\w+:/.test(name) ? `./${name}` : name);

const isFilm = (job) => job.kind === "zoom";

/** What the api takes. @param {any} job */
export function asJson(job) {
  const body = { image: { sha256: job.input.sha256 }, params: job.params };
  for (const field of ["guides", "masks"]) {
    if (job[field].length) body[field.slice(0, -1)] = job[field].map(({ sha256 }) => ({ sha256 }));
  }
  Object.assign(body, isFilm(job) ? { kind: "zoom", zoom: job.zoom } : { format: job.format });
  for (const field of ["name", "tags", "needs", "priority", "expires_in"]) {
    if (job[field]?.length || job[field] > 0) body[field] = job[field];
  }
  return JSON.stringify(body, null, 2);
}

/** What a shell takes; pictures besides the first are named by what they are for. @param {any} job */
export function asCommand(job) {
  const parts = ["dreamfarm", "submit", quoted(fileName(job.name || "photo.jpg")), ...dreamOptions(job.params)];
  if (isFilm(job)) parts.push(...filmOptions(job.zoom));
  else parts.push("--format", job.format);
  for (const field of ["guide", "mask"]) {
    job[`${field}s`].forEach((_, place) => parts.push(`--${field}`, `${field}${place ? `-${place + 1}` : ""}.png`));
  }
  for (const tag of job.tags) parts.push(...option("tag", tag));
  for (const need of job.needs) parts.push(...option("need", need));
  if (job.priority) parts.push(...option("priority", job.priority));
  if (job.expires_in) parts.push(...option("expires_in", job.expires_in));
  return parts.join(" ");
}

function dreamOptions({ layers, terms, preset, ...params }) {
  const parts = preset && preset !== "none" ? option("preset", preset) : [];
  if (terms?.length) parts.push("--terms", quoted(JSON.stringify(terms)));
  else parts.push("--layers", quoted(Object.entries(layers).map(([name, weight]) => (weight === 1 ? name : `${name}=${weight}`)).join(",")));
  return [...parts, ...Object.entries(params).flatMap(([name, value]) => option(name, value))];
}

function filmOptions({ format, ...way }) {
  return ["--kind", "zoom", "--film", format, ...Object.entries(way).flatMap(([name, value]) => option(name, value))];
}

function option(name, value) {
  const flag = name.replaceAll("_", "-");
  if (typeof value === "boolean") return [value ? `--${flag}` : `--no-${flag}`];
  return [`--${flag}`, quoted(String(value ?? "none"))];
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
