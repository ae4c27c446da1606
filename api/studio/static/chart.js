// Lines over the last hour.

import { svg } from "./curve.js";
import { digits, short } from "./dom.js";

const SIZE = { width: 420, height: 140, left: 34, right: 8, top: 10, bottom: 18 };
const HOUR_MS = 3_600_000;

/** The next round number above. @param {number} value */
function roundUp(value) {
  if (value <= 4) return Math.max(1, Math.ceil(value));
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= value);
}

/**
 * @param {HTMLElement} place
 * @param {string} title
 * @param {{name: string, kind?: string, points: {at: string, value: number}[]}[]} lines
 */
export function areaChart(place, title, lines) {
  const now = Date.now();
  const high = roundUp(Math.max(0, ...lines.flatMap(({ points }) => points.map(({ value }) => value))));
  const x = (at) => SIZE.left + (1 - (now - Date.parse(at)) / HOUR_MS) * (SIZE.width - SIZE.left - SIZE.right);
  const y = (value) => SIZE.height - SIZE.bottom - (value / high) * (SIZE.height - SIZE.bottom - SIZE.top);
  const newest = lines.map(({ name, points }) => `${name} ${digits(points.at(-1)?.value ?? 0)}`).join(", ");
  const chart = svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img", "aria-label": `${title}, last hour; now ${newest}, at most ${digits(high)}` });
  for (const value of [0, high]) {
    chart.append(svg("line", { class: "axis", x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(value), y2: y(value) }));
    chart.append(svg("text", { x: SIZE.left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value)));
  }
  chart.append(svg("text", { x: SIZE.left, y: SIZE.height - 3 }, "1 h ago"), svg("text", { x: SIZE.width - SIZE.right, y: SIZE.height - 3, "text-anchor": "end" }, "now"));
  for (const { points, kind = "", name } of lines) {
    if (points.length) chart.append(...drawn(points, x, y, kind, name));
  }
  place.replaceChildren(chart);
}

function drawn(points, x, y, kind, name) {
  const path = points.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  const [first, last] = [x(points[0].at), x(points.at(-1).at)];
  const area = svg("polygon", { class: `area ${kind}`, points: `${first},${y(0)} ${path.join(" ")} ${last},${y(0)}` });
  const edge = svg("polyline", { class: `loss ${kind}`, points: path.join(" ") });
  edge.append(svg("title", {}, name));
  const dot = svg("circle", { class: `dot ${kind}`, cx: last, cy: y(points.at(-1).value), r: 2.5 });
  return [area, edge, dot];
}
