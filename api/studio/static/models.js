// The networks and their layers: shapes, reach, what they dream of; two of them side by side.

import { getModel, listModels } from "./api.js";
import { byId, count, h, say, settled } from "./dom.js";
import { hasThumbnails, thumbnailOf } from "./thumbnails.js";

let model = null;
let picked = [];

/** @param {any} layer @param {number} side */
function picture(layer, side) {
  const url = thumbnailOf(model.name, layer.name);
  return url && h("img", { src: url, alt: `What ${layer.name} dreams of`, width: side, height: side, loading: "lazy" });
}

const dreamLink = (layer) => `/?model=${encodeURIComponent(model.name)}&layer=${encodeURIComponent(layer.name)}`;

function row(layer) {
  const [height, width, channels] = layer.shape;
  const box = h("input", { type: "checkbox", checked: picked.includes(layer.name), "aria-label": `Compare ${layer.name}`, change: () => pick(layer.name) });
  const isDefault = layer.name in model.default_layers;
  return h(
    "tr", {},
    h("td", {}, box),
    h("th", { scope: "row", class: "layer-name" }, picture(layer, 48), h("span", {}, layer.name, isDefault ? h("span", { class: "hint" }, " · chosen by default") : null)),
    h("td", {}, layer.kind), h("td", { class: "number" }, String(channels)), h("td", { class: "number" }, `${width} × ${height}`),
    h("td", { class: "number" }, `${layer.receptive_field} px`), h("td", { class: "number" }, `${layer.stride} px`),
    h("td", {}, h("a", { class: "button small", href: dreamLink(layer), "aria-label": `Dream with ${layer.name}` }, "Dream")),
  );
}

function pick(name) {
  picked = picked.includes(name) ? picked.filter((one) => one !== name) : [...picked, name].slice(-2);
  show();
  byId("layers").querySelector(`[aria-label="Compare ${CSS.escape(name)}"]`)?.focus();
}

/** How much of the picture one cell sees, drawn to scale. */
function reach(layer) {
  const side = Number(byId("side").value) || 512;
  const part = Math.min(1, layer.receptive_field / side) * 100;
  const inner = h("span", { class: "reach-inner" });
  inner.style.setProperty("width", `${part}%`);
  inner.style.setProperty("height", `${part}%`);
  return h("div", { class: "reach", role: "img", "aria-label": `One cell sees ${layer.receptive_field} of ${side} px` }, inner);
}

function card(name) {
  const layer = model.layers.find((one) => one.name === name);
  const [height, width, channels] = layer.shape;
  const facts = [["cells", `${width} × ${height}`], ["channels", channels], ["a cell sees", `${layer.receptive_field} px`], ["a cell every", `${layer.stride} px`], ["numbers", (height * width * channels).toLocaleString("en")]];
  return h(
    "article", {}, h("h2", {}, name),
    h("div", { class: "pair-pictures" }, picture(layer, 112), reach(layer)),
    h("dl", { class: "params" }, ...facts.map(([words, value]) => h("div", {}, h("dt", {}, words), h("dd", {}, String(value))))),
    h("a", { class: "button small", href: dreamLink(layer) }, "Dream with it"),
  );
}

function show() {
  const wanted = byId("filter").value.trim().toLowerCase();
  const found = model.layers.filter((layer) => layer.name.toLowerCase().includes(wanted));
  byId("layers").replaceChildren(...found.map(row));
  const millions = (model.parameters / 1e6).toLocaleString("en", { maximumFractionDigits: 1 });
  const unseen = hasThumbnails(model.name) ? "" : " Nobody has made pictures of what its layers dream of.";
  byId("about").textContent = `${model.title}: ${count(model.layers.length, "layer")}, ${millions} million weights, pictures of ${model.min_size} px and more.${unseen}`;
  byId("pair").hidden = picked.length < 2;
  byId("pair").replaceChildren(...(picked.length < 2 ? [] : picked.map(card)));
}

async function load() {
  const side = byId("side");
  const wanted = byId("model").value;
  const found = await getModel(wanted, side.checkValidity() ? Number(side.value) : 512);
  if (byId("model").value !== wanted) return;
  if (found.name !== model?.name) picked = [];
  model = found;
  show();
}

const loadOrSay = () => load().catch((problem) => say(byId("about"), problem.message));

async function start() {
  const models = await listModels();
  byId("model").replaceChildren(...models.map((one) => h("option", { value: one.name }, `${one.title} · ${count(one.layer_count, "layer")}`)));
  byId("model").disabled = false;
  byId("model").addEventListener("change", loadOrSay);
  byId("side").addEventListener("input", settled(loadOrSay, 250));
  byId("filter").addEventListener("input", () => model && show());
  await load();
}

start().catch((problem) => say(byId("about"), problem.message));
