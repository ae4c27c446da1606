// The pictures to dream on: dropped, pasted or chosen; one of them on the stage.

import { byId, h } from "./dom.js";

/**
 * A chosen picture; `width` is 0 where the browser can't show it, which the farm may nevertheless.
 * @typedef {{file: Blob, name: string, url: string, width: number, height: number, sha256?: string}} Chosen
 */

/** @type {Chosen[]} */
const chosen = [];
let current = 0;
let told = () => {};

export const pictures = () => [...chosen];
/** @returns {Chosen | undefined} */
export const onStage = () => chosen[current];

/** @param {Blob} file @param {string} name @param {string} [sha256] @returns {Promise<Chosen>} */
async function measured(file, name, sha256) {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  await image.decode().catch(() => null);
  return { file, name, url, width: image.naturalWidth, height: image.naturalHeight, sha256 };
}

/** @param {Iterable<File>} files */
export async function addFiles(files) {
  const wanted = [...files].filter((file) => file.type.startsWith("image/") || /\.(tiff?|bmp|heic)$/i.test(file.name));
  if (!wanted.length) return;
  const first = chosen.length;
  chosen.push(...(await Promise.all(wanted.map((file) => measured(file, file.name || "pasted picture")))));
  current = first;
  show();
}

/** Take a picture that the farm has already. @param {string} url @param {string} name @param {string} sha256 */
export async function addStored(url, name, sha256) {
  const answer = await fetch(url);
  chosen.push(await measured(await answer.blob(), name, sha256));
  current = chosen.length - 1;
  show();
}

function remove(place) {
  URL.revokeObjectURL(chosen[place].url);
  chosen.splice(place, 1);
  current = Math.max(0, Math.min(current, chosen.length - 1));
  show();
}

function show() {
  const picture = onStage();
  byId("drop").classList.toggle("slim", Boolean(picture));
  byId("stage").hidden = !picture;
  byId("strip").replaceChildren(...(chosen.length > 1 ? chosen.map(thumbnail) : []));
  if (picture) {
    byId("shown").src = picture.url;
    byId("shown").alt = picture.name;
    byId("file-name").textContent = picture.width ? `${picture.name} · ${picture.width} × ${picture.height}` : picture.name;
    byId("file-name").title = picture.name;
  }
  told();
}

/** @param {Chosen} picture @param {number} place */
function thumbnail(picture, place) {
  const pick = () => {
    current = place;
    show();
  };
  return h(
    "li", { class: place === current ? "current" : "" },
    h("button", { type: "button", class: "thumb", click: pick, "aria-label": `Show ${picture.name}`, "aria-pressed": place === current ? "true" : "false" }, h("img", { src: picture.url, alt: "" })),
    h("button", { type: "button", class: "away", click: () => remove(place), "aria-label": `Take ${picture.name} away` }, "✕"),
  );
}

/** @param {HTMLElement} place @param {(files: FileList) => void} take */
function acceptDrops(place, take) {
  const over = (inside) => (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", inside);
  };
  place.addEventListener("dragover", over(true));
  place.addEventListener("dragleave", over(false));
  place.addEventListener("drop", (event) => {
    over(false)(event);
    take(event.dataTransfer.files);
  });
}

/** @param {() => void} onChange */
export function startPictures(onChange) {
  told = onChange;
  const input = byId("images");
  input.addEventListener("change", async () => {
    await addFiles(input.files);
    input.value = "";
  });
  acceptDrops(document.documentElement, addFiles);
  document.addEventListener("paste", (event) => addFiles(event.clipboardData.files));
}
