// The batches, newest first, each with how far it is.

import { listBatches } from "./api.js";
import { ago, byId, count, duration, h, repeatedly, STATES, toast } from "./dom.js";

const LOOK_MS = 3000;
let older = [];
let next = null;

/** A bar whose parts are the jobs by state. @param {Record<string, number>} counts @param {number} total */
export function stateBar(counts, total) {
  const parts = Object.entries(counts).filter(([state, many]) => many && state in STATES);
  const words = parts.map(([state, many]) => `${many} ${STATES[state].toLowerCase()}`).join(", ") || "no dreams are left";
  const bar = h("div", { class: "state-bar", role: "img", "aria-label": words, title: words });
  for (const state of ["succeeded", "running", "queued", "failed", "canceled", "expired"]) {
    if (!counts[state]) continue;
    const part = h("span", { "data-state": state });
    part.style.setProperty("width", `${(100 * counts[state]) / total}%`);
    bar.append(part);
  }
  return bar;
}

/** What a sweep tries, in words. @param {any} sweep */
export function sweepWords(sweep) {
  return Object.entries(sweep.product ?? {}).map(([name, values]) => `${name.replaceAll("_", " ")} × ${values.length}`).join(", ");
}

function row(batch) {
  const left = batch.eta_s === null || batch.state === "finished" ? "" : `${duration(batch.eta_s)} left`;
  const facts = [count(batch.total, "dream"), sweepWords(batch.sweep), ago(batch.created_at), left].filter(Boolean).join(" · ");
  const failed = batch.counts.failed ? h("span", { class: "problem" }, `${batch.counts.failed} failed`) : null;
  return h(
    "li", { class: "panel batch-row" },
    h("a", { href: `/batches/${batch.id}` }, h("h2", {}, batch.name || "Untitled batch")),
    h("p", { class: "hint" }, facts), failed, stateBar(batch.counts, batch.total),
  );
}

function show(newest) {
  const all = [...newest, ...older.filter((one) => !newest.some((other) => other.id === one.id))];
  byId("empty").hidden = all.length > 0;
  byId("more").hidden = !next;
  const focused = document.activeElement?.getAttribute("href");
  byId("batches").replaceChildren(...all.map(row));
  if (focused) byId("batches").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

let newest = [];

async function look() {
  const page = await listBatches({ limit: "30" });
  if (!older.length) next = page.next_cursor;
  newest = page.batches;
  show(newest);
}

async function more() {
  const page = await listBatches({ limit: "30", cursor: next });
  next = page.next_cursor;
  older.push(...page.batches);
  show(newest);
}

if (byId("batches")) {
  byId("more").addEventListener("click", () => more().catch((problem) => toast(problem.message, "bad")));
  repeatedly(look, LOOK_MS);
}
