// The page: the form on one side, the jobs on the other.

import { listJobs, listWorkers } from "./api.js";
import { JobCard } from "./card.js";
import { startComposing } from "./compose.js";
import { askForKeys } from "./key.js";

const SHOWN = 24;
const LOOK_MS = 10_000;

const list = document.getElementById("jobs");
const empty = document.getElementById("empty");
const farm = document.getElementById("farm-state");
const cards = new Map();
let nextLook;

function add(job, { first }) {
  if (cards.has(job.id)) return;
  const card = new JobCard(job);
  cards.set(job.id, card);
  list[first ? "prepend" : "append"](card.element);
  empty.hidden = true;
}

async function look() {
  try {
    const [jobs, workers] = await Promise.all([listJobs(SHOWN), listWorkers()]);
    const fresh = cards.size > 0;
    for (const job of fresh ? jobs.reverse() : jobs) add(job, { first: fresh });
    empty.hidden = cards.size > 0;
    farm.textContent = workersText(workers);
  } catch (problem) {
    farm.textContent = problem.message;
  }
  clearTimeout(nextLook);
  nextLook = setTimeout(look, LOOK_MS);
}

function workersText(workers) {
  if (!workers.length) return "No worker is running; dreams wait.";
  const busy = workers.filter((worker) => worker.state === "busy").length;
  return `${workers.length} ${workers.length === 1 ? "worker" : "workers"}, ${busy} busy`;
}

const compose = startComposing((job) => add(job, { first: true }));
askForKeys(() => {
  compose.load();
  look();
});
look();
