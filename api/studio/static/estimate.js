// What the dreams would take, as the farm reckons it; looked up again whenever a setting changes.

import { estimate } from "./api.js";
import { byId, duration, size } from "./dom.js";

const USUAL_PX = { width: 1024, height: 768 };
let asking = new AbortController();

/**
 * @param {{pictures: {width: number, height: number}[], params: object}} order
 * @param {number} jobs
 * @param {(problem: string) => void} complain
 */
export async function showEstimate(order, jobs, complain) {
  asking.abort();
  asking = new AbortController();
  const largest = order.pictures.reduce((most, one) => (one.width * one.height > most.width * most.height ? one : most), { width: 0, height: 0 });
  const { width, height } = largest.width ? largest : USUAL_PX;
  try {
    show(await estimate({ params: order.params, width, height }, asking.signal), jobs, Boolean(largest.width));
  } catch (problem) {
    if (problem.name === "AbortError" || problem.status === 401) return;
    for (const name of ["time", "memory", "queue"]) byId(`estimate-${name}`).textContent = "–";
    complain(problem.message);
  }
}

function show(found, jobs, isSized) {
  const each = found.seconds;
  const time = each === null ? "not known yet" : `≈ ${duration(each * jobs)}`;
  byId("estimate-time").textContent = jobs > 1 && each !== null ? `${time} in all` : time;
  byId("estimate-memory").textContent = size(found.peak_memory_bytes);
  byId("estimate-queue").textContent = found.queue_s === null ? "–" : found.queue_s < 1 ? "no wait" : duration(found.queue_s);
  const sized = isSized ? "" : "For a picture of 1024 × 768 px. ";
  const why = each === null ? "No worker has dreamt with this network yet, so nobody knows how long it takes." : "By the pace of this farm's workers.";
  byId("estimate").title = `${sized}${why}`;
}
