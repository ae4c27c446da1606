// The form: a picture, a model, its layers, a few numbers.

import { getModel, Problem, listModels, submitJob } from "./api.js";

const NUMBERS = ["octaves", "steps", "step_size", "seed"];
const byId = (id) => document.getElementById(id);

let models = [];
let picture = null;
let pictureUrl = null;

export function startComposing(onJob) {
  const form = byId("compose");
  byId("image").addEventListener("change", (event) => choose(event.target.files[0]));
  byId("model").addEventListener("change", showLayers);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(onJob);
  });
  acceptDrops(byId("drop"));
  loadModels();
  return { load: loadModels };
}

async function loadModels() {
  try {
    models = await listModels();
    say("");
  } catch (problem) {
    say(problem.message);
    return;
  }
  const select = byId("model");
  select.replaceChildren(...models.map((model) => new Option(`${model.title}`, model.name)));
  select.disabled = false;
  await showLayers();
}

async function showLayers() {
  const name = byId("model").value;
  if (!name) return;
  let model;
  try {
    model = await getModel(name);
  } catch (problem) {
    say(problem.message);
    return;
  }
  if (model.name !== byId("model").value) return; // another was chosen meanwhile
  byId("layers").replaceChildren(...model.layers.map((layer) => chip(layer, layer.name in model.default_layers)));
}

function chip(layer, checked) {
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "layer", value: layer.name, checked });
  const label = document.createElement("label");
  label.className = "chip";
  label.title = `${layer.channels} channels, each cell sees ${layer.receptive_field} px`;
  label.append(box, Object.assign(document.createElement("span"), { textContent: layer.name }));
  return label;
}

function acceptDrops(place) {
  const over = (inside) => (event) => {
    event.preventDefault();
    place.classList.toggle("over", inside);
  };
  place.addEventListener("dragover", over(true));
  place.addEventListener("dragleave", over(false));
  place.addEventListener("drop", (event) => {
    over(false)(event);
    choose(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => choose(event.clipboardData.files[0]));
}

function choose(file) {
  if (!file) return;
  picture = file;
  if (pictureUrl) URL.revokeObjectURL(pictureUrl);
  pictureUrl = URL.createObjectURL(file);
  const shown = byId("chosen");
  shown.onerror = () => {
    shown.hidden = true;
  };
  shown.src = pictureUrl;
  shown.alt = `Chosen picture: ${file.name}`;
  shown.hidden = false;
  byId("drop-words").textContent = `${file.name} — choose another`;
  say("");
}

function params() {
  const model = models.find((one) => one.name === byId("model").value);
  const chosen = [...document.querySelectorAll("#layers input:checked")].map((box) => box.value);
  if (!chosen.length) throw new Problem("Choose at least one layer.");
  const layers = Object.fromEntries(chosen.map((name) => [name, model.default_layers[name] ?? 1]));
  const given = { model: model.name, layers };
  for (const name of NUMBERS) {
    const field = byId(name);
    if (!field.checkValidity()) throw new Problem(`${field.labels[0].textContent}: ${field.validationMessage}`);
    if (field.value !== "") given[name] = Number(field.value);
  }
  return given;
}

async function send(onJob) {
  const button = byId("send");
  button.disabled = true;
  button.textContent = "Handing in…";
  say("");
  try {
    if (!picture) throw new Problem("Choose a picture first.");
    if (!models.length) throw new Problem("The models could not be loaded. Reload the page.");
    onJob(await submitJob(picture, params()));
  } catch (problem) {
    say(problem.message);
  } finally {
    button.disabled = false;
    button.textContent = "Dream";
  }
}

function say(text) {
  const place = byId("problem");
  place.textContent = text;
  place.hidden = !text;
}
