// One batch: its wall of pictures, or its sweep as a grid.

import { call, cancelBatch, getBatch, listJobsOf, retryFailed } from "./api.js";
import { stateBar, sweepWords } from "./batches.js";
import { startChosen } from "./chosen.js";
import { ago, badge, byId, count, during, duration, h, repeatedly, say, toast } from "./dom.js";
import { showGrid } from "./grid.js";
import { jobId } from "./ulid.js";
import { Wall } from "./wall.js";

const LOOK_MS = 2500;
const MOST_NAMED = 600;
const STATES = { q: "queued", r: "running", s: "succeeded", f: "failed", c: "canceled", e: "expired", d: "deleted" };

const id = byId("batch").dataset.batch;
let letters = "";
let shown = [];
let batch = null;
let isFirst = true;
/** @type {Map<string, string> | null} names by job, once all are made; a very large batch is spared the asking */
let names = null;

/** The tile of the batch's job of that number. @param {number} number */
function tile(number) {
  const state = STATES[letters[number]];
  if (letters[number] === "d" || number >= batch.made) return { id: null, state, name: `Number ${number + 1}` };
  const own = jobId(id, number);
  const picture = state === "succeeded" ? `/v1/jobs/${own}/preview` : undefined;
  return { id: own, state, name: names?.get(own) ?? `Number ${number + 1}`, picture, otherwise: picture && `/v1/jobs/${own}/result` };
}

const wall = new Wall(byId("wall"), { tile: (index) => tile(shown[index]) });

function filter() {
  const wanted = document.querySelector("#filters input:checked").value;
  shown = [...letters].flatMap((letter, number) => (!wanted || STATES[letter] === wanted ? [number] : []));
  wall.update(shown.length);
}

function showHead() {
  document.title = `${batch.name || "A batch"} · Dreamfarm`;
  byId("name").textContent = batch.name || "Untitled batch";
  byId("state").replaceChildren(badge(batch.state === "finished" ? "succeeded" : "running"));
  byId("bar").replaceChildren(stateBar(batch.counts, batch.total));
  const left = batch.state === "finished" || batch.eta_s === null ? "" : `${duration(batch.eta_s)} left`;
  const served = `${count(batch.counts.succeeded ?? 0, "picture")} done of ${batch.total}`;
  byId("facts").textContent = [served, sweepWords(batch.sweep), `made ${ago(batch.created_at)}`, left].filter(Boolean).join(" · ");
  byId("failures").replaceChildren(...Object.entries(batch.failures).map(([code, many]) => h("li", {}, `${many} failed: ${code.replaceAll("_", " ")}`)));
  byId("retry-failed").hidden = !batch.counts.failed;
  byId("cancel-batch").hidden = batch.state === "finished";
  for (const place of document.querySelectorAll("[data-count]")) {
    const many = place.dataset.count ? batch.counts[place.dataset.count] : batch.total;
    place.textContent = many ? ` ${many}` : "";
  }
}

async function learnNames() {
  if (names || batch.made < batch.total || batch.total > MOST_NAMED) return;
  const jobs = await listJobsOf(id);
  names = new Map(jobs.filter((job) => job.name).map((job) => [job.id, job.name]));
}

async function look() {
  let states;
  [batch, { states }] = await Promise.all([getBatch(id), call(`/v1/batches/${id}/states`)]);
  letters = states;
  await learnNames();
  showHead();
  filter();
  const hasGrid = showGrid(byId("grid"), batch, tile);
  byId("as-grid").hidden = !hasGrid;
  if (hasGrid && isFirst) setGrid(true);
  isFirst = false;
}

function setGrid(on) {
  byId("as-grid").setAttribute("aria-pressed", String(on));
  byId("grid-box").hidden = !on;
  byId("wall").hidden = byId("filters").hidden = byId("all-chosen").hidden = on;
  if (!on) wall.render();
}

function listen() {
  byId("filters").addEventListener("change", filter);
  byId("as-grid").addEventListener("click", () => setGrid(byId("grid-box").hidden));
  byId("all-chosen").addEventListener("click", () => wall.selectAll(shown.flatMap((number) => tile(number).id ?? [])));
  byId("retry-failed").addEventListener("click", (event) => during(event.currentTarget, async () => {
    await retryFailed(id);
    await look();
  }));
  byId("cancel-batch").addEventListener("click", (event) => during(event.currentTarget, async () => {
    await cancelBatch(id);
    toast("What was waiting or at work is canceled.");
    await look();
  }));
}

listen();
startChosen(wall, look);
repeatedly(async () => {
  try {
    await look();
  } catch (problem) {
    if (problem.status === 404) byId("name").textContent = "There is no such batch.";
    say(byId("facts"), problem.message);
  }
}, LOOK_MS);
