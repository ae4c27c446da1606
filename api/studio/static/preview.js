// A quick look: the picture on the stage, 256 px wide, dreamt ahead of all else of its owner's; the job is removed once
// it is seen.

import { deleteJob, dreamPicture, getJob } from "./api.js";
import { Compare } from "./compare.js";
import { controlValue } from "./controls.js";
import { byId, toast } from "./dom.js";
import { followJob } from "./follow.js";
import { maskPicture } from "./mask.js";

const LONGEST_PX = 256;
const FIRST = 9;
/** So much is dreamt in a second or so, and looks most like the whole dream made small: see docs/studio.md. */
const MOST = { octaves: 3, steps: 8 };
const LONGEST_STEP = 10;
let shown = null;

export function dropPreview() {
  byId("preview").hidden = true;
  byId("preview").replaceChildren();
  if (shown) deleteJob(shown).catch(() => null);
  shown = null;
}

/**
 * Fewer octaves and steps. A step is longer by as much as there are fewer, so that the dream goes as far; a mask fades
 * over the same share of the picture.
 * @param {number} scale of the small picture
 */
function quickened(params, scale) {
  const steps = Math.min(controlValue("steps"), MOST.steps);
  const step_size = Math.min(LONGEST_STEP, (controlValue("step_size") * controlValue("steps")) / steps);
  return { ...params, octaves: Math.min(controlValue("octaves"), MOST.octaves), steps, step_size, feather: controlValue("feather") * scale };
}

/** @param {import("./pictures.js").Chosen} picture */
async function small(picture) {
  const scale = Math.min(1, LONGEST_PX / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(32, Math.round(side * scale)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const bitmap = await createImageBitmap(picture.file, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const image = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return { image, width, height, scale };
}

/** @param {import("./pictures.js").Chosen} picture @param {any} order */
export async function showPreview(picture, order) {
  dropPreview();
  const { image, width, height, scale } = await small(picture);
  const mask = order.hasMask ? await maskPicture(width, height) : null;
  const fields = { params: quickened(order.params, scale), priority: FIRST, tags: ["preview"], expires_in: 3600, format: "webp" };
  const job = await dreamPicture({ image, name: `Preview of ${picture.name}`.slice(0, 200), guide: order.guide, mask, fields });
  shown = job.id;
  const box = byId("preview");
  const compare = new Compare(box);
  box.append(closeButton());
  box.hidden = false;
  compare.showAfter(URL.createObjectURL(image), "Preview, before its first octave");
  box.classList.add("working");
  const seen = await new Promise((resolve) => followJob(job.id, (event) => onChange(event, job.id, compare, resolve)));
  box.classList.remove("working");
  if (shown !== job.id || seen.state === "canceled") return;
  if (seen.state !== "succeeded") throw new Error((await getJob(job.id)).error?.message ?? "The preview could not be dreamt.");
  compare.showAfter(`/v1/jobs/${job.id}/result`, "Preview, dreamt");
  compare.showBefore(URL.createObjectURL(image), "Preview, original");
}

function onChange(event, id, compare, resolve) {
  if (event.previews && event.state === "running") compare.showAfter(`/v1/jobs/${id}/octaves/${event.previews}`, "Preview, at work");
  if (!["queued", "running"].includes(event.state)) resolve(event);
}

function closeButton() {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "close", textContent: "Close preview" });
  button.addEventListener("click", dropPreview);
  return button;
}

window.addEventListener("pagehide", () => {
  if (shown) fetch(`/v1/jobs/${shown}`, { method: "DELETE", keepalive: true }).catch(() => toast("The preview stays among your dreams."));
});
