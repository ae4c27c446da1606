// How the objective grows, a line for each octave, on one axis of steps.

import { call } from "./api.js";
import { digits, short } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const SIZE = { width: 360, height: 150, left: 44, bottom: 18, top: 8, right: 8 };

/** @param {string} tag @param {Record<string, unknown>} props @param {string} [text] */
export function svg(tag, props, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

export class Curve {
  /** @param {HTMLElement} place @param {HTMLElement} box hidden while there is nothing to show */
  constructor(place, box) {
    Object.assign(this, { place, box, octaves: [], steps: 1 });
  }

  /** Take what the farm kept of the octaves that are done. @param {string} own path of the job */
  async load(own) {
    const { octaves } = await call(`${own}/losses`).catch(() => ({ octaves: [] }));
    for (const [place, losses] of octaves.entries()) {
      const last = Math.max(1, this.steps - 1);
      this.octaves[place] = losses.map((loss, at) => [losses.length > 1 ? (at * last) / (losses.length - 1) : 0, loss]);
    }
    this.draw();
  }

  /** Note the newest step. @param {{octave: number, step: number, steps: number, loss: number | null}} progress */
  note({ octave, step, steps, loss }) {
    this.steps = steps || this.steps;
    if (!octave || loss === null) return;
    const points = (this.octaves[octave - 1] ??= []);
    if (points.length && points.at(-1)[0] >= step - 1) return;
    points.push([step - 1, loss]);
    this.draw();
  }

  draw() {
    const lines = this.octaves.filter((points) => points?.length);
    this.box.hidden = !lines.length;
    if (!lines.length) return;
    const losses = lines.flat().map(([, loss]) => loss);
    const [low, high] = [Math.min(...losses), Math.max(...losses)];
    const x = (step) => SIZE.left + (step / Math.max(1, this.steps - 1)) * (SIZE.width - SIZE.left - SIZE.right);
    const y = (loss) => SIZE.height - SIZE.bottom - ((loss - low) / (high - low || 1)) * (SIZE.height - SIZE.bottom - SIZE.top);
    const chart = svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img", "aria-label": `Objective over steps, from ${digits(low)} to ${digits(high)}, ${lines.length} octaves` });
    for (const value of [low, high]) {
      chart.append(svg("line", { class: "axis", x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(value), y2: y(value) }));
      chart.append(svg("text", { x: SIZE.left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value)));
    }
    chart.append(svg("text", { x: SIZE.left, y: SIZE.height - 3 }, "first step"), svg("text", { x: SIZE.width - SIZE.right, y: SIZE.height - 3, "text-anchor": "end" }, `step ${this.steps}`));
    for (const [place, points] of this.octaves.entries()) {
      if (points?.length) chart.append(...line(points, x, y, place, this.octaves.length));
    }
    this.place.replaceChildren(chart);
  }
}

function line(points, x, y, place, of) {
  const path = points.map(([step, loss]) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
  const [step, loss] = points.at(-1);
  const strength = 0.35 + (0.65 * (place + 1)) / of;
  const drawn = svg("polyline", { class: "loss", points: path, opacity: strength });
  drawn.append(svg("title", {}, `Octave ${place + 1}`));
  return [drawn, svg("text", { class: "mark", x: Math.min(x(step), SIZE.width - 14), y: y(loss) - 3, opacity: strength }, String(place + 1))];
}
