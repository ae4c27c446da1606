// What can be done with the jobs that are selected on a wall.

import { cancelJob, deleteJob, retryJob } from "./api.js";
import { byId, count, during, toast } from "./dom.js";

const AT_ONCE = 6;
const ACTS = { "cancel-chosen": [cancelJob, "canceled"], "retry-chosen": [retryJob, "queued again"], "delete-chosen": [deleteJob, "deleted"] };

/** Do something to many jobs, a few at once; those that can't are counted. @param {string[]} ids @param {(id: string) => Promise<unknown>} act */
async function each(ids, act) {
  const waiting = [...ids];
  let refused = 0;
  const worker = async () => {
    for (let id = waiting.pop(); id; id = waiting.pop()) await act(id).catch(() => (refused += 1));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return refused;
}

/** @param {import("./wall.js").Wall} wall @param {() => Promise<unknown>} look */
export function startChosen(wall, look) {
  const bar = byId("chosen-bar");
  wall.onSelect = (ids) => {
    bar.hidden = ids.size === 0;
    byId("chosen-count").textContent = `${count(ids.size, "dream")} selected`;
  };
  for (const [name, [act, words]] of Object.entries(ACTS)) {
    byId(name).addEventListener("click", (event) => during(event.currentTarget, async () => {
      const ids = [...wall.selected];
      if (name === "delete-chosen" && !confirm(`Delete ${count(ids.length, "dream")} and their pictures for good?`)) return;
      const refused = await each(ids, act);
      const done = `${count(ids.length - refused, "dream")} ${words}.`;
      toast(refused ? `${done} ${count(refused, "other")} can't be.` : done, refused ? "bad" : "good");
      wall.selectAll([]);
      await look();
    }));
  }
  byId("none-chosen").addEventListener("click", () => wall.selectAll([]));
}
