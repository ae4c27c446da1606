// The brush: paints on the picture where the dream may be. What is exported is white there and black elsewhere.

import { byId } from "./dom.js";

const LONGEST_PX = 1600; // of the drawing; it is enlarged to the picture's size when it is sent
const canvas = byId("mask");
const ring = byId("brush");
const pen = canvas.getContext("2d");
let painted = false;
let erasing = false;
let cursor = null;
let isDown = false;
let told = () => {};

export const isPainted = () => painted;

/** Begin anew for a picture of this size. @param {number} width @param {number} height */
export function newMask(width, height) {
  const scale = Math.min(1, LONGEST_PX / Math.max(width, height, 1));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  cursor = { x: canvas.width / 2, y: canvas.height / 2 };
  painted = false;
}

/** The mask at a size, as PNG; null where nothing was painted. @param {number} width @param {number} height @returns {Promise<Blob | null>} */
export function maskPicture(width, height) {
  if (!painted) return Promise.resolve(null);
  const whole = Object.assign(document.createElement("canvas"), { width, height });
  const ink = whole.getContext("2d");
  ink.drawImage(canvas, 0, 0, width, height);
  ink.globalCompositeOperation = "source-in";
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, width, height);
  ink.globalCompositeOperation = "destination-over";
  ink.fillStyle = "#000";
  ink.fillRect(0, 0, width, height);
  return new Promise((resolve) => whole.toBlob(resolve, "image/png"));
}

/** Lie on the picture, however large it is shown. */
function lieOn() {
  const shown = byId("shown");
  const [across, down] = [shown.offsetWidth, shown.offsetHeight];
  const fit = Math.min(across / (shown.naturalWidth || 1), down / (shown.naturalHeight || 1));
  const [width, height] = [shown.naturalWidth * fit, shown.naturalHeight * fit];
  const box = { left: shown.offsetLeft + (across - width) / 2, top: shown.offsetTop + (down - height) / 2, width, height };
  for (const [name, value] of Object.entries(box)) canvas.style.setProperty(name, `${value}px`);
}

/** px of the drawing per px of the screen */
const scale = () => canvas.width / Math.max(1, canvas.getBoundingClientRect().width);
const radius = () => (Number(byId("brush-size").value) / 2) * scale();

/** Where a pointer is, in px of the drawing. @param {PointerEvent} event */
function place(event) {
  const box = canvas.getBoundingClientRect();
  return { x: (event.clientX - box.left) * scale(), y: (event.clientY - box.top) * scale() };
}

function paintTo(next) {
  pen.globalCompositeOperation = erasing ? "destination-out" : "source-over";
  pen.strokeStyle = getComputedStyle(canvas).getPropertyValue("--mask-ink") || "#d9489b";
  Object.assign(pen, { lineCap: "round", lineJoin: "round", lineWidth: radius() * 2 });
  pen.beginPath();
  pen.moveTo(cursor.x, cursor.y);
  pen.lineTo(next.x + 0.01, next.y);
  pen.stroke();
  cursor = next;
  painted = painted || !erasing;
}

function showRing() {
  const side = Number(byId("brush-size").value);
  ring.style.setProperty("width", `${side}px`);
  ring.style.setProperty("height", `${side}px`);
  ring.style.setProperty("left", `${canvas.offsetLeft + cursor.x / scale()}px`);
  ring.style.setProperty("top", `${canvas.offsetTop + cursor.y / scale()}px`);
  ring.classList.toggle("erasing", erasing);
}

function onPointer(event) {
  const next = place(event);
  if (event.type === "pointerdown") {
    canvas.setPointerCapture(event.pointerId);
    isDown = true;
    cursor = next;
  }
  if (isDown) paintTo(next);
  else cursor = next;
  if (event.type === "pointerup") lift();
  showRing();
}

function lift() {
  if (isDown) told();
  isDown = false;
}

const STRIDES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(event) {
  const stride = STRIDES[event.key];
  if (stride) {
    const next = { x: clamp(cursor.x + stride[0] * radius(), canvas.width), y: clamp(cursor.y + stride[1] * radius(), canvas.height) };
    if (event.shiftKey) paintTo(next);
    cursor = next;
  } else if (event.key === " ") paintTo({ ...cursor });
  else if (event.key.toLowerCase() === "e") setErasing(!erasing);
  else return;
  event.preventDefault();
  showRing();
  told();
}

const clamp = (value, most) => Math.max(0, Math.min(most, value));

function setErasing(on) {
  erasing = on;
  byId("erase").setAttribute("aria-pressed", String(on));
  showRing();
}

function invert() {
  pen.globalCompositeOperation = "source-out";
  pen.fillStyle = getComputedStyle(canvas).getPropertyValue("--mask-ink") || "#d9489b";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  painted = true;
  told();
}

export function clearMask() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  painted = false;
  told();
}

/** Show or put away the brush; what is painted stays. @param {boolean} on */
export function setPainting(on) {
  canvas.classList.toggle("resting", !on);
  canvas.hidden = !on && !painted;
  lieOn();
  for (const part of [ring, byId("brushes")]) part.hidden = !on;
  byId("paint").setAttribute("aria-pressed", String(on));
  if (on) showRing();
}

/** @param {() => void} onChange */
export function startMask(onChange) {
  told = onChange;
  for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) canvas.addEventListener(name, onPointer);
  canvas.addEventListener("keydown", onKey);
  byId("paint").addEventListener("click", () => setPainting(byId("brushes").hidden));
  byId("erase").addEventListener("click", () => setErasing(!erasing));
  byId("invert").addEventListener("click", invert);
  byId("clear").addEventListener("click", clearMask);
  byId("brush-size").addEventListener("input", showRing);
  new ResizeObserver(lieOn).observe(byId("shown"));
  byId("shown").addEventListener("load", lieOn);
}
