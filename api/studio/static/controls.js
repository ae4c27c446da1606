// The settings on the page Dream: what is set, what the preset and the recipe say, and what differs from them.

import { byId } from "./dom.js";

const OF_PAGE = ["preset", "profile", "model", "layers"];

class Control {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.kind = box.dataset.kind;
    this.field = byId(box.dataset.control);
    this.slider = box.querySelector(".slider");
    this.default = JSON.parse(box.dataset.default);
  }

  value() {
    if (this.kind === "switch") return this.field.checked;
    if (this.kind === "choice") return this.field.value;
    return this.field.value === "" ? null : Number(this.field.value);
  }

  set(value) {
    if (this.kind === "switch") this.field.checked = Boolean(value);
    else this.field.value = value ?? "";
    if (this.slider) this.slider.value = value;
    this.paint();
  }

  /** Fill the slider's track up to its thumb. */
  paint() {
    if (!this.slider) return;
    const { min, max, value } = this.slider;
    this.slider.style.setProperty("--part", `${((value - min) / (max - min)) * 100}%`);
  }
}

/** All controls by their parameter. */
const controls = new Map(
  [...document.querySelectorAll("[data-control]")].map((box) => [box.dataset.control, new Control(box)]),
);
const changed = new Set();
let told = () => {};

const chosenPreset = () => document.querySelector("#presets input:checked");
const chosenProfile = () => byId("profile").selectedOptions[0];

/** What holds where nothing is set by hand. */
function basis() {
  const own = Object.fromEntries([...controls].map(([name, control]) => [name, control.default]));
  const preset = JSON.parse(chosenPreset().dataset.params);
  return { ...own, ...JSON.parse(chosenProfile().dataset.defaults), ...preset };
}

/** Show what holds for all that nobody has set by hand. */
export function showBasis() {
  const values = basis();
  for (const [name, control] of controls) {
    if (!changed.has(name)) control.set(values[name]);
    control.box.classList.toggle("changed", changed.has(name));
  }
}

/** The parameters that differ from preset and recipe; raises what a person should put right. */
export function givenParams() {
  const given = {};
  const profile = chosenPreset().dataset.params.includes('"profile"') ? null : chosenProfile().value;
  if (chosenPreset().value !== "none") given.preset = chosenPreset().value;
  if (profile && profile !== "dreamfarm") given.profile = profile;
  for (const name of changed) {
    const control = controls.get(name);
    if (!control.field.checkValidity()) {
      throw new Error(`${control.box.querySelector("label").textContent}: ${control.field.validationMessage}`);
    }
    const value = control.value();
    if (value !== null) given[name] = value;
  }
  return given;
}

/** Set parameters, as of a job that is to be dreamt again. @param {Record<string, unknown>} params */
export function takeParams(params) {
  changed.clear();
  if (params.profile) byId("profile").value = params.profile;
  const values = basis();
  for (const [name, control] of controls) {
    if (!(name in params) || params[name] === values[name]) continue;
    control.set(params[name]);
    changed.add(name);
  }
  showBasis();
  return Object.keys(params).filter((name) => !controls.has(name) && !OF_PAGE.includes(name));
}

/** @param {string} name @param {unknown} value */
export function setControl(name, value) {
  controls.get(name).set(value);
  changed.add(name);
  showBasis();
  told();
}

export const controlValue = (name) => controls.get(name).value();
export const labelOf = (name) => controls.get(name)?.box.querySelector("label").textContent ?? name;
export const kindOf = (name) => controls.get(name)?.kind;

/** @param {string} name @param {Control} control */
function listen(name, control) {
  const note = () => {
    if (control.slider) control.slider.value = control.field.value;
    control.paint();
    changed.add(name);
    control.box.classList.add("changed");
    told();
  };
  control.field.addEventListener("input", note);
  control.slider?.addEventListener("input", () => {
    control.field.value = control.slider.value;
    note();
  });
  control.box.addEventListener("dblclick", (event) => {
    if (event.target.closest("select, input[type=number]")) return;
    changed.delete(name);
    showBasis();
    told();
  });
}

/** @param {() => void} onChange told of every change */
export function startControls(onChange) {
  told = onChange;
  for (const [name, control] of controls) listen(name, control);
  byId("profile").addEventListener("change", () => {
    showBasis();
    told();
  });
  showBasis();
}
