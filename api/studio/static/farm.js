// The farm: its workers, what they do, what waits, and how the last hour was.

import { bringBack, drainWorker, getHistory, listJobs, listWorkers, whoAmI } from "./api.js";
import { areaChart } from "./chart.js";
import { ago, badge, byId, digits, during, duration, h, repeatedly, size, toast } from "./dom.js";

const LOOK_MS = 2500;
const HISTORY_MS = 20_000;
const STATES = { idle: "succeeded", busy: "running", draining: "queued", set_aside: "failed" };
const WORDS = { idle: "Idle", busy: "Busy", draining: "Leaving", set_aside: "Set aside" };
let isAdmin = false;

function number(words, value, hint) {
  return h("div", { class: "panel" }, h("dt", {}, words), h("dd", {}, h("strong", {}, value), h("span", { class: "hint" }, hint)));
}

function workerRow(worker) {
  const mark = badge(STATES[worker.state]);
  mark.textContent = worker.device === "starting" ? "Starting" : WORDS[worker.state];
  const silent = (Date.now() - Date.parse(worker.seen_at)) / 1000;
  const facts = [worker.library, worker.memory_bytes && size(worker.memory_bytes), worker.tags.join(", ")].filter(Boolean).join(" · ");
  return h(
    "tr", {},
    h("th", { scope: "row" }, h("strong", {}, worker.id), h("div", { class: "hint" }, `${worker.host}, for ${duration((Date.now() - Date.parse(worker.started_at)) / 1000)}`)),
    h("td", {}, mark, worker.why ? h("div", { class: "hint" }, worker.why) : null),
    h("td", {}, worker.job ? h("a", { href: `/jobs/${worker.job}` }, "a dream") : worker.state === "busy" ? "somebody's dream" : "–"),
    h("td", {}, worker.device, h("div", { class: "hint" }, facts)),
    h("td", { class: "number", title: "Seconds of the reference device's work a second" }, worker.speed === null ? "–" : `${digits(worker.speed)}×`),
    h("td", { class: silent > 6 ? "problem" : "" }, silent < 3 ? "now" : `${Math.round(silent)} s ago`),
    h("td", {}, isAdmin ? action(worker) : null),
  );
}

function action(worker) {
  const back = worker.state === "set_aside";
  if (worker.state === "draining") return null;
  const act = async () => {
    if (!back && !confirm(`Ask ${worker.id} to hand its dream back and to end?`)) return;
    await (back ? bringBack : drainWorker)(worker.id);
    toast(back ? `${worker.id} is given dreams again.` : `${worker.id} hands its dream back and leaves.`);
    await look();
  };
  const words = back ? "Bring back" : "Drain";
  return h("button", { type: "button", class: "small", "aria-label": `${words} ${worker.id}`, click: (event) => during(event.currentTarget, act) }, words);
}

function jobRow(job) {
  const { progress } = job;
  const bar = job.state === "running" ? h("progress", { max: 1, value: progress.fraction, "aria-label": `Progress of ${job.name ?? "a dream"}` }) : "–";
  return h(
    "tr", {},
    h("th", { scope: "row" }, h("a", { href: `/jobs/${job.id}` }, job.name || "Untitled"), h("div", { class: "hint" }, `${job.owner} · ${job.input.width} × ${job.input.height}`)),
    h("td", {}, badge(job.state)), h("td", {}, bar), h("td", {}, ago(job.started_at ?? job.created_at)),
  );
}

async function look() {
  const [workers, running, queued] = await Promise.all([listWorkers(), listJobs({ state: "running", limit: "50" }), listJobs({ state: "queued", order: "oldest", limit: "20" })]);
  fill("workers", workers.map(workerRow));
  byId("no-workers").hidden = workers.length > 0;
  const next = [...running.jobs, ...queued.jobs];
  fill("queue", next.map(jobRow));
  byId("no-queue").hidden = next.length > 0;
}

/** Fill a table's rows, and leave the keyboard where it was. */
function fill(id, rows) {
  const at = document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.getAttribute("href");
  const here = byId(id).contains(document.activeElement);
  byId(id).replaceChildren(...rows);
  if (here && at) byId(id).querySelector(`[aria-label="${CSS.escape(at)}"], [href="${CSS.escape(at)}"]`)?.focus();
}

/** How much a sum grew from minute to minute; it begins anew where the store was emptied. */
const growth = (minutes, field) => minutes.slice(1).map((one, place) => ({ at: one.at, value: Math.max(0, one[field] - minutes[place][field]) }));

async function lookBack() {
  const { minutes } = await getHistory();
  const hour = minutes.filter((one) => Date.now() - Date.parse(one.at) < 3_660_000);
  const now = hour.at(-1);
  if (!now) return; // no worker has been there to note how it went
  const done = growth(hour, "succeeded");
  areaChart(byId("backlog"), "Waiting dreams", [{ name: "waiting", points: hour.map((one) => ({ at: one.at, value: one.queued })) }]);
  areaChart(byId("done"), "Dreams done a minute", [{ name: "done", points: done }, { name: "failed", kind: "bad", points: growth(hour, "failed") }]);
  areaChart(byId("busy"), "Workers", [{ name: "alive", kind: "soft", points: hour.map((one) => ({ at: one.at, value: one.workers })) }, { name: "busy", points: hour.map((one) => ({ at: one.at, value: one.busy })) }]);
  const many = done.reduce((sum, { value }) => sum + value, 0);
  byId("numbers").replaceChildren(
    number("Waiting", digits(now.queued), now.backlog_s ? `${duration(now.backlog_s)} of work` : "no work waits"),
    number("At work", digits(now.running), `${now.busy} of ${now.workers} workers busy`),
    number("Done in the last hour", digits(many), done.length ? `${digits(many / done.length)} a minute` : ""),
  );
}

whoAmI().then((me) => {
  isAdmin = me.scopes.includes("admin");
  repeatedly(look, LOOK_MS);
  repeatedly(lookBack, HISTORY_MS);
}).catch(() => null);
