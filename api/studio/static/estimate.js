// What the dreams would take, as the farm reckons it; looked up again whenever a setting changes.

import { estimate } from "./api.js";
import { byId, duration, size } from "./dom.js";

const USUAL_PX = { width: 1024, height: 768 };
let asking = new AbortController();

/**
 * @param {{pictures: {width: number, height: number}[], params: object, guideSizes: object[], sweep: object | null, fields: {priority: number}}} order
 * @param {number} jobs
 * @param {(problem: string) => void} complain
 */
export async function showEstimate(order, jobs, complain) {
  asking.abort();
  asking = new AbortController();
  const largest = order.pictures.reduce((most, one) => (one.width * one.height > most.width * most.height ? one : most), { width: 0, height: 0 });
  const { width, height } = largest.width ? largest : USUAL_PX;
  try {
    const asked = { params: order.params, width, height, guides: order.guideSizes, priority: order.fields.priority, ...(order.sweep && { sweep: order.sweep }) };
    const all = { jobs, pictures: Math.max(1, order.pictures.length) };
    show(await estimate(asked, asking.signal), all, Boolean(largest.width));
  } catch (problem) {
    if (problem.name === "AbortError" || problem.status === 401) return;
    for (const name of ["time", "memory", "queue"]) byId(`estimate-${name}`).textContent = "–";
    complain(problem.message);
  }
}

/** How long it waits, and for how many dreams; where nobody knows how long, for how many. */
function wait({ queue_s, jobs_before }) {
  if (jobs_before === 0) return queue_s === null ? "–" : "no wait";
  return [queue_s === null ? "" : duration(queue_s), `${jobs_before.toLocaleString("en")} before`].filter(Boolean).join(" · ");
}

function show(found, { jobs, pictures }, isSized) {
  const each = found.sweep_seconds ?? found.seconds;
  const time = each === null ? "not known yet" : `≈ ${duration(each * pictures)}`;
  byId("estimate-time").textContent = jobs > 1 && each !== null ? `${time} in all` : time;
  byId("estimate-memory").textContent = size(found.peak_memory_bytes);
  byId("estimate-queue").textContent = wait(found);
  const sized = isSized ? "" : "For a picture of 1024 × 768 px. ";
  const why = found.seconds === null ? "No worker has dreamt with this network yet, so nobody knows how long it takes." : "By the pace of this farm's workers.";
  byId("estimate").title = `${sized}${why}`;
}
