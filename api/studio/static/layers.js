// The choice of a network and its layers, each with its weight.

import { getModel, listModels } from "./api.js";
import { byId, h } from "./dom.js";
import { thumbnailOf } from "./thumbnails.js";

const MANY = 24;
let model = null;
let weights = {};
let touched = false;
let told = () => {};

/** What to send: nothing where nobody chose, so that the farm's own choice counts. */
export function givenLayers() {
  if (!model) throw new Error("The networks could not be loaded. Reload the page.");
  if (!Object.keys(weights).length) throw new Error("Choose at least one layer.");
  return touched ? { model: model.name, layers: weights } : { model: model.name };
}

/** @param {{model?: string, layers?: Record<string, number>}} wanted */
export async function takeLayers({ model: name, layers }) {
  if (name) byId("model").value = name;
  await showModel();
  if (layers && Object.keys(layers).length) {
    weights = { ...layers };
    touched = true;
    showLayers();
  }
}

/** Follow a preset: its network and layers, until they are changed by hand. @param {HTMLInputElement} preset */
export async function followPreset(preset) {
  byId("model").value = preset.dataset.model ?? byId("model").value;
  await showModel();
  const layers = JSON.parse(preset.dataset.layers);
  if (Object.keys(layers).length) weights = layers;
  showLayers();
}

/** @param {any} layer */
function row(layer) {
  const chosen = layer.name in weights;
  const box = h("input", { type: "checkbox", checked: chosen, value: layer.name, change: () => toggle(layer.name) });
  const seen = `${layer.channels} channels; each cell sees ${layer.receptive_field} px`;
  const url = thumbnailOf(model.name, layer.name);
  const shown = url && h("img", { src: url, alt: "", width: 56, height: 56, loading: "lazy" });
  const weight = h("input", {
    type: "number", min: -100, max: 100, step: "any", value: weights[layer.name] ?? 1, title: "Weight",
    "aria-label": `Weight of ${layer.name}`, hidden: !chosen, input: (event) => weigh(layer.name, event.target),
  });
  return h("div", { class: `layer${chosen ? " chosen" : ""}`, "data-layer": layer.name }, h("label", { title: seen }, box, shown, h("span", {}, layer.name)), weight);
}

function toggle(name) {
  if (name in weights) delete weights[name];
  else weights[name] = model.default_layers[name] ?? 1;
  touched = true;
  const again = document.activeElement?.value;
  showLayers();
  byId("layers").querySelector(`input[value="${CSS.escape(again ?? name)}"]`)?.focus();
  told();
}

function weigh(name, field) {
  if (!field.checkValidity() || field.value === "") return;
  weights[name] = Number(field.value);
  touched = true;
  told();
}

function showLayers() {
  const wanted = byId("layer-filter").value.trim().toLowerCase();
  byId("layer-filter").hidden = model.layers.length <= MANY;
  const found = model.layers.filter((layer) => layer.name in weights || layer.name.toLowerCase().includes(wanted));
  byId("layers").replaceChildren(...found.map(row));
  byId("layers-note").textContent = Object.keys(weights).join(", ");
}

async function showModel() {
  const name = byId("model").value;
  const found = await getModel(name);
  if (byId("model").value !== name) return; // another was chosen meanwhile
  model = found;
  weights = { ...model.default_layers };
  touched = false;
  showLayers();
}

/** @param {() => void} onChange */
export async function startLayers(onChange) {
  told = onChange;
  const models = await listModels();
  const select = byId("model");
  select.replaceChildren(...models.map((one) => h("option", { value: one.name }, one.title)));
  select.disabled = false;
  select.addEventListener("change", () => showModel().then(told));
  byId("layer-filter").addEventListener("input", showLayers);
  await showModel();
}
