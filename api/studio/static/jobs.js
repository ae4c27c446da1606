// All dreams, newest first; further pages are fetched as one comes to them.

import { listJobs } from "./api.js";
import { startChosen } from "./chosen.js";
import { byId, repeatedly, settled, toast } from "./dom.js";
import { tileOf, Wall } from "./wall.js";

const PAGE = 100;
const LOOK_MS = 4000;
const AHEAD = 40;

let jobs = [];
let next = null;
let fetching = false;

const wall = new Wall(byId("wall"), { tile: (index) => tileOf(jobs[index]), side: 168, onSight: (last) => last > jobs.length - AHEAD && more() });

function query() {
  const state = document.querySelector("#filters input:checked").value;
  const tag = byId("tag").value.trim();
  return { limit: String(PAGE), ...(state && { state }), ...(tag && { tag }) };
}

function show() {
  byId("empty").hidden = jobs.length > 0;
  wall.update(jobs.length);
}

/** Look at the newest again; older ones stay as they were until they are come to. */
async function look() {
  const asked = query();
  const page = await listJobs(asked);
  if (JSON.stringify(asked) !== JSON.stringify(query())) return;
  const fresh = new Set(page.jobs.map((job) => job.id));
  const oldest = page.jobs.at(-1)?.id ?? "";
  const older = page.next_cursor ? jobs.filter((job) => job.id < oldest && !fresh.has(job.id)) : [];
  if (!older.length) next = page.next_cursor;
  jobs = [...page.jobs, ...older];
  show();
}

async function more() {
  if (!next || fetching) return;
  fetching = true;
  try {
    const page = await listJobs({ ...query(), cursor: next });
    next = page.next_cursor;
    jobs.push(...page.jobs);
  } finally {
    fetching = false;
  }
  show();
}

function anew() {
  [jobs, next] = [[], null];
  look().catch((problem) => toast(problem.message, "bad"));
}

byId("filters").addEventListener("change", anew);
byId("tag").addEventListener("input", settled(anew, 300));
startChosen(wall, look);
repeatedly(look, LOOK_MS);
