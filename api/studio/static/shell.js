// What every page has: who is signed in, and how the farm is.

import { listWorkers, SIGN_IN_WANTED, signIn, signOut, whoAmI } from "./api.js";
import { byId, during, repeatedly, say } from "./dom.js";

const LOOK_MS = 15_000;
const dialog = byId("sign-in");

/** @param {SubmitEvent} event */
async function enter(event) {
  event.preventDefault();
  const field = byId("key");
  say(byId("key-problem"));
  try {
    await signIn(field.value.trim());
    location.reload();
  } catch (problem) {
    const unknown = problem.status === 401;
    say(byId("key-problem"), unknown ? "The farm doesn't know this key, or it was revoked." : problem.message);
    field.select();
  }
}

async function showOwner() {
  const me = await whoAmI();
  if (me.key_id === null) return;
  say(byId("owner"), me.owner);
  byId("sign-out").hidden = false;
}

async function showPulse() {
  const workers = await listWorkers();
  const busy = workers.filter((worker) => worker.state === "busy").length;
  const pulse = byId("pulse");
  pulse.dataset.state = workers.length ? (busy ? "busy" : "idle") : "none";
  say(pulse, workers.length ? `${busy} of ${workers.length} busy` : "No workers");
  pulse.title = "Workers at work. Go to the farm's page.";
}

function askForKey() {
  if (!dialog.open) dialog.showModal();
}

document.addEventListener(SIGN_IN_WANTED, askForKey);
dialog.addEventListener("cancel", (event) => event.preventDefault()); // without a key there is nothing to see
byId("sign-in-form").addEventListener("submit", enter);
byId("sign-out").addEventListener("click", (event) =>
  during(event.currentTarget, async () => {
    await signOut();
    location.assign("/");
  }),
);
showOwner().then(() => repeatedly(showPulse, LOOK_MS)).catch(() => null);
