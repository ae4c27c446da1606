// The page Dream: pictures on the one side, settings on the other, and what it all would take.

import { getJob } from "./api.js";
import { controlValue, givenParams, setControl, showBasis, startControls, takeParams } from "./controls.js";
import { byId, during, say, settled, toast } from "./dom.js";
import { showEstimate } from "./estimate.js";
import { followPreset, givenLayers, startLayers, takeLayers } from "./layers.js";
import { isPainted, newMask, setPainting, startMask } from "./mask.js";
import { addStored, onStage, pictures, startPictures } from "./pictures.js";
import { dropPreview, showPreview } from "./preview.js";
import { submit } from "./submit.js";
import { givenSweep, pointsOf, startSweep } from "./sweep.js";

/** What the farm stores of the parameters that this page has no fields for. */
let others = {};
let guide = null;

/** All that is to be dreamt; raises what a person should put right. */
function order() {
  const chosen = pictures();
  const params = { ...others, ...givenParams(), ...(others.terms ? { model: givenLayers().model } : givenLayers()) };
  return { pictures: chosen, params, guide, guideSizes: guideSizes(), sweep: givenSweep(), hasMask: isPainted() && chosen.length === 1, fields: fields() };
}

/** Once the browser has seen how large the guide is; before that the estimate does without. */
function guideSizes() {
  const { naturalWidth: width, naturalHeight: height } = byId("guide-shown");
  return guide && width ? [{ width, height }] : [];
}

function fields() {
  const tags = byId("tags").value.split(",").map((tag) => tag.trim()).filter(Boolean);
  const given = { format: byId("format").value, priority: Number(byId("priority").value) };
  return { ...given, ...(tags.length && { tags }), ...(byId("name").value.trim() && { name: byId("name").value.trim() }) };
}

/** Ask for an order, and tell what is wrong with it. @returns {ReturnType<typeof order> | null} */
function wanted() {
  try {
    const made = order();
    say(byId("problem"));
    return made;
  } catch (problem) {
    say(byId("problem"), problem.message);
    return null;
  }
}

function refresh() {
  const made = wanted();
  if (!made) return;
  const jobs = Math.max(1, made.pictures.length) * pointsOf(made.sweep);
  byId("sweep-note").textContent = made.sweep ? `${jobs} dreams` : "";
  byId("send").textContent = jobs > 1 ? `Dream ${jobs}` : "Dream";
  showEstimate(made, jobs, (text) => say(byId("problem"), text));
}

const changed = settled(refresh, 250);

let masked = null;

function pictureChanged() {
  const picture = onStage();
  if (picture !== masked) {
    dropPreview();
    setPainting(false);
    if (picture) newMask(picture.width, picture.height);
    setPainting(false);
    masked = picture;
  }
  byId("paint").hidden = !picture?.width || pictures().length > 1;
  changed();
}

function takeGuide(file) {
  guide = file ?? null;
  const shown = byId("guide-shown");
  if (shown.src) URL.revokeObjectURL(shown.src);
  shown.hidden = byId("no-guide").hidden = !guide;
  if (guide) shown.src = URL.createObjectURL(guide);
  else shown.removeAttribute("src");
  byId("guide-words").textContent = guide ? "Guide" : "Guide picture";
  byId("guide").value = "";
  const follows = controlValue("objective").startsWith("guide");
  if (Boolean(guide) !== follows) setControl("objective", guide ? "guide-match" : "l2");
  changed();
}

async function send(event) {
  event.preventDefault();
  const made = wanted();
  if (!made) return;
  if (!made.pictures.length) {
    say(byId("problem"), "Choose a picture first.");
    return;
  }
  await during(byId("send"), async () => {
    const words = byId("send").textContent;
    byId("send").textContent = "Handing in…";
    try {
      location.assign(await submit(made, (text) => (byId("send").textContent = text)));
    } catch (problem) {
      say(byId("problem"), problem.message);
      byId("send").textContent = words;
    }
  });
}

async function quick() {
  const made = wanted();
  if (!made) return;
  if (!onStage()?.width) {
    say(byId("problem"), "Choose a picture first, one that the browser can show.");
    return;
  }
  await during(byId("quick"), () => showPreview(onStage(), made));
}

/** Begin with what another job was dreamt from. @param {string} id */
async function beginFrom(id) {
  const job = await getJob(id);
  const { layers, model, terms, ...params } = job.params;
  const unknown = takeParams(params);
  others = Object.fromEntries(unknown.map((name) => [name, params[name]]));
  if (terms?.length) others.terms = terms;
  await takeLayers({ model, layers });
  await addStored(`/v1/pictures/${job.input.sha256}/content`, job.name ?? "picture", job.input.sha256);
  if (job.guides[0]) takeGuide(await (await fetch(`/v1/pictures/${job.guides[0].sha256}/content`)).blob());
  if (job.params.objective !== controlValue("objective")) setControl("objective", job.params.objective);
  toast("These are that dream's settings. Change what you like.");
}

/** @param {HTMLInputElement} preset */
async function choosePreset(preset) {
  byId("preset-hint").textContent = preset.closest("label").title || "Set everything yourself, or begin with a look.";
  showBasis();
  await followPreset(preset);
  changed();
}

async function start() {
  startControls(changed);
  startSweep(changed);
  startPictures(pictureChanged);
  startMask(changed);
  byId("form").addEventListener("submit", send);
  byId("quick").addEventListener("click", quick);
  byId("priority").addEventListener("input", changed);
  byId("guide").addEventListener("change", (event) => takeGuide(event.target.files[0]));
  byId("guide-shown").addEventListener("load", changed);
  byId("no-guide").addEventListener("click", () => takeGuide(null));
  byId("presets").addEventListener("change", (event) => choosePreset(event.target));
  try {
    await startLayers(changed);
    const asked = new URLSearchParams(location.search);
    if (asked.has("from")) await beginFrom(asked.get("from"));
    else if (asked.has("layer")) await takeLayers({ model: asked.get("model"), layers: { [asked.get("layer")]: 1 } });
  } catch (problem) {
    say(byId("problem"), problem.message);
  }
  refresh();
}

start();
