// A sweep as a grid: the last setting across, pictures and the other setting down, each dream at its place.

import { h } from "./dom.js";

const MOST_CELLS = 600;
let drawn = "";

const words = (name, value) => `${name.replaceAll("_", " ")} ${value}`;

/** Draw the grid; tell whether the batch has one. @param {HTMLElement} table @param {any} batch @param {(number: number) => import("./wall.js").Tile} tile */
export function showGrid(table, batch, tile) {
  const axes = Object.entries(batch.sweep.product ?? {});
  if (!axes.length || axes.length > 2 || batch.sweep.zip?.length || batch.total > MOST_CELLS) return false;
  const across = axes.at(-1);
  const down = axes.length === 2 ? axes[0] : ["", [""]];
  const rows = batch.total / across[1].length;
  const now = JSON.stringify(Array.from({ length: batch.total }, (_, number) => [tile(number).state, tile(number).id]));
  if (now === drawn) return true;
  drawn = now;
  const head = h("tr", {}, h("td"), ...across[1].map((value) => h("th", { scope: "col" }, words(across[0], value))));
  const body = Array.from({ length: rows }, (_, row) => {
    const { name } = tile(row * across[1].length);
    const label = [rows > down[1].length ? name : "", down[0] && words(down[0], down[1][row % down[1].length])].filter(Boolean).join(", ");
    const cells = across[1].map((value, column) => cell(tile(row * across[1].length + column), [label, words(across[0], value)].filter(Boolean).join(", ")));
    return h("tr", {}, h("th", { scope: "row" }, label), ...cells);
  });
  table.replaceChildren(h("thead", {}, head), h("tbody", {}, ...body));
  return true;
}

/** @param {import("./wall.js").Tile} tile @param {string} label */
function cell(tile, label) {
  const image = tile.picture && h("img", { src: tile.picture, alt: "", loading: "lazy", error: (event) => (event.target.src.endsWith(tile.otherwise) ? event.target.remove() : (event.target.src = tile.otherwise)) });
  const link = h(tile.id ? "a" : "span", { class: "tile-link", ...(tile.id && { href: `/jobs/${tile.id}` }), "aria-label": `${label}: ${tile.state}`, title: label }, image);
  return h("td", { class: "tile", "data-state": tile.state }, link);
}
