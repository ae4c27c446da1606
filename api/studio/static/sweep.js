// A sweep of one or two parameters, from what is written into its fields.

import { byId, settled } from "./dom.js";
import { kindOf, labelOf } from "./controls.js";

const MOST = 500;

/** @param {string} name @param {string} text @returns {unknown[]} */
function values(name, text) {
  const parts = text.split(/[,;\s]+/).filter(Boolean);
  if (kindOf(name) === "choice") return parts;
  const numbers = parts.flatMap(span);
  const wrong = numbers.findIndex((one) => Number.isNaN(one));
  if (wrong >= 0) throw new Error(`Sweep of ${labelOf(name)}: write numbers with commas between, or a span such as 2..10.`);
  return numbers;
}

/** `2..10` are nine whole numbers. @param {string} part */
function span(part) {
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(part) ?? [];
  if (first === undefined) return [Number(part)];
  if (Number(last) - Number(first) >= MOST) throw new Error(`The sweep from ${first} to ${last} is too long.`);
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, step) => Number(first) + step);
}

/** The sweep as the api takes it; null where there is none. */
export function givenSweep() {
  const product = {};
  for (const axis of ["a", "b"]) {
    const name = byId(`sweep-${axis}`).value;
    if (!name) continue;
    if (name in product) throw new Error("A sweep's rows and columns are of two different settings.");
    product[name] = values(name, byId(`sweep-${axis}-values`).value);
    if (!product[name].length) throw new Error(`Say which values of ${labelOf(name)} the sweep is to try.`);
  }
  return Object.keys(product).length ? { product } : null;
}

/** How many dreams a sweep makes of each picture. @param {ReturnType<typeof givenSweep>} sweep */
export const pointsOf = (sweep) => Object.values(sweep?.product ?? {}).reduce((many, list) => many * list.length, 1);

/** @param {() => void} onChange */
export function startSweep(onChange) {
  const changed = settled(onChange, 200);
  byId("sweep").addEventListener("input", changed);
  byId("sweep").addEventListener("change", changed);
}
