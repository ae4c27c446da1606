// The page of one dream: its picture as it grows, what came of it, and how it was made.

import { cancelJob, deleteJob, getJob, retryJob } from "./api.js";
import { Compare } from "./compare.js";
import { asCommand, asJson, copy } from "./copy.js";
import { Curve } from "./curve.js";
import { badge, byId, digits, during, duration, h, say, size, toast } from "./dom.js";
import { Filmstrip } from "./filmstrip.js";
import { followJob, isResting } from "./follow.js";

const id = byId("job").dataset.job;
const own = `/v1/jobs/${encodeURIComponent(id)}`;
const strip = new Filmstrip(byId("filmstrip"), own, (picture) => showOctave(picture));
const curve = new Curve(byId("curve"), byId("curve-box"));
let job = null;
let compare = null;
let picked = false;
let stop = () => {};

const nameOf = () => job.name || "Untitled";

/** A film keeps no pictures of its frames' octaves, nor does a dream that was served an earlier result. */
const hasOctaves = () => job.kind === "dream" && !job.cached;

/** The stage for pictures, made once there is one. */
function stage() {
  compare ??= new Compare(byId("compare"));
  return compare;
}

function showOctave({ url, words }) {
  picked = true;
  stage().showAfter(url, `${nameOf()} ${words}`);
}

/** Show all that doesn't change while it is dreamt. */
function showJob() {
  document.title = `${nameOf()} · Dreamfarm`;
  byId("name").textContent = nameOf();
  showPairs(byId("params"), flat(job));
  showPairs(byId("record"), record());
  byId("notices").replaceChildren(...job.notices.map((notice) => h("li", {}, notice)));
  showAttempts();
  showChange({ ...job, previews: "preview" in job.links ? Math.max(1, job.progress.octave - 1) : 0 });
}

function flat({ params, kind, zoom }) {
  const layers = Object.entries(params.layers ?? {}).map(([layer, weight]) => `${layer} ${weight}`);
  const { layers: _, terms, ...others } = params;
  const shown = { ...(kind === "zoom" && zoom), ...(layers.length && { layers: layers.join(", ") }), ...(terms?.length && { terms: JSON.stringify(terms) }), ...others };
  return Object.entries(shown).filter(([, value]) => value !== null && value !== "");
}

function record() {
  const facts = [["id", job.id], ["picture", `${job.input.width} × ${job.input.height} px`], ["file", job.format], ["made", new Date(job.created_at).toLocaleString()]];
  if (job.output) facts.push(["result", `${job.output.width} × ${job.output.height} px, ${size(job.output.bytes)}`]);
  if (job.metrics.queued_s !== null) facts.push(["waited", duration(job.metrics.queued_s)]);
  if (job.metrics.render_s !== null) facts.push(["took", duration(job.metrics.render_s)]);
  for (const field of ["tags", "needs"]) if (job[field].length) facts.push([field, job[field].join(", ")]);
  if (job.priority) facts.push(["priority", job.priority]);
  if (job.cached) facts.push(["served", "from an earlier dream of the same picture and settings"]);
  if (job.batch) facts.push(["batch", h("a", { href: `/batches/${job.batch}` }, job.batch)]);
  return facts;
}

function showPairs(list, pairs) {
  const rows = pairs.map(([name, value]) => h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, value instanceof Node ? value : String(value))));
  list.replaceChildren(...rows);
}

const OUTCOMES = { running: "at work", succeeded: "done", failed: "failed", canceled: "canceled", handed_back: "handed back", lost: "lost: the worker fell silent" };

function showAttempts() {
  byId("no-attempts").hidden = job.attempts.length > 0;
  const rows = job.attempts.map((one) => {
    const seconds = one.ended_at && (Date.parse(one.ended_at) - Date.parse(one.started_at)) / 1000;
    return h("li", { "data-outcome": one.outcome }, h("strong", {}, `${one.number}. `), `${OUTCOMES[one.outcome]}${seconds ? ` after ${duration(seconds)}` : ""}`, h("br"), h("span", { class: "hint" }, one.worker));
  });
  byId("attempts").replaceChildren(...rows);
}

/** Show what an event tells. */
function showChange({ state, progress, error, previews }) {
  byId("state").replaceChildren(badge(state));
  byId("facts").textContent = facts(state, progress);
  say(byId("error"), error ? `${error.message}` : "");
  byId("bar").hidden = isResting(state);
  byId("bar").value = progress.fraction;
  byId("retry").hidden = !["failed", "canceled", "expired"].includes(state);
  byId("cancel").hidden = isResting(state);
  byId("delete").hidden = !isResting(state);
  byId("again").hidden = job.kind !== "dream"; // the page Dream makes no films
  curve.note(progress);
  if (hasOctaves()) strip.grow(previews, progress.octaves);
  if (state !== "succeeded") showGrowing(state, previews);
}

function facts(state, progress) {
  if (state === "queued") return progress.eta_s ? `done in about ${duration(progress.eta_s)}` : "until a worker is free";
  if (state !== "running") return job.metrics.render_s !== null && state === "succeeded" ? `in ${duration(job.metrics.render_s)}` : "";
  if (!progress.octave) return "A worker has it.";
  const frame = progress.frames ? `frame ${progress.frame} of ${progress.frames}, ` : "";
  const where = `${frame}octave ${progress.octave} of ${progress.octaves}, step ${progress.step} of ${progress.steps}`;
  const loss = progress.loss === null ? "" : `objective ${digits(progress.loss)}`;
  return [where, loss, progress.eta_s === null ? "" : `${duration(progress.eta_s)} left`].filter(Boolean).join(" · ");
}

let grown = -1;

function showGrowing(state, previews) {
  if (previews === grown || picked || !job.input.width) return;
  grown = previews;
  if (!previews) stage().showAfter(`${own}/input`, `${nameOf()}, original`);
  else if (job.kind === "zoom") stage().showAfter(`${own}/preview?${previews}`, `${nameOf()}, a frame of the film`);
  else stage().showAfter(`${own}/octaves/${previews}`, `${nameOf()} after octave ${previews}`);
}

async function showResult() {
  const link = byId("download");
  link.href = `${own}/result`;
  link.setAttribute("aria-label", `Download ${nameOf()}, dreamt`);
  link.hidden = false;
  if (["mp4", "webm"].includes(job.format)) showFilm();
  else if (job.format !== "zip") showPicture();
}

function showPicture() {
  picked = false;
  stage().showAfter(`${own}/result`, `${nameOf()}, dreamt`);
  if (job.kind !== "zoom") stage().showBefore(`${own}/input`, `${nameOf()}, original`);
  if (hasOctaves()) strip.finish(job.progress.octaves);
}

function showFilm() {
  byId("compare").replaceChildren(h("video", { src: `${own}/result`, controls: true, loop: true, muted: true, "aria-label": `${nameOf()}, the film` }));
}

async function onEvent(event) {
  if (event.seq < job.seq) {
    curve.note(event.progress); // it is told again what was before
    return;
  }
  if (isResting(event.state) || event.state !== job.state) job = await getJob(id).catch(() => ({ ...job, state: event.state }));
  if (isResting(event.state) || !job.attempts.length) showJob();
  else {
    showChange(event);
    showAttempts();
  }
  if (event.state === "succeeded") {
    await showResult();
    curve.load(own);
  }
}

const BY_HAND = { retry: retryJob, cancel: cancelJob };

function listen() {
  for (const [name, act] of Object.entries(BY_HAND)) {
    byId(name).addEventListener("click", (event) => during(event.currentTarget, async () => {
      await act(id);
      await look();
    }));
  }
  byId("delete").addEventListener("click", (event) => during(event.currentTarget, async () => {
    if (!confirm(`Delete “${nameOf()}” and its pictures for good?`)) return;
    await deleteJob(id);
    location.assign("/jobs");
  }));
  byId("copy-cli").addEventListener("click", () => copy(asCommand(job), "The command"));
  byId("copy-json").addEventListener("click", () => copy(asJson(job), "The JSON"));
}

async function look() {
  stop();
  job = await getJob(id);
  grown = -1;
  showJob();
  curve.load(own);
  stop = followJob(id, onEvent, (answers) => (byId("line").hidden = answers), job.seq);
}

listen();
look().catch((problem) => {
  say(byId("waiting"), problem.status === 404 ? "There is no such dream, or it was deleted." : problem.message);
  byId("name").textContent = "Not found";
  toast(problem.message, "bad");
});
