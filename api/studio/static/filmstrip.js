// The octaves of a dream, one small picture each, as they come.

import { h } from "./dom.js";

export class Filmstrip {
  /** @param {HTMLElement} list @param {string} own path of the job @param {(picture: {url: string, words: string}) => void} pick */
  constructor(list, own, pick) {
    Object.assign(this, { list, own, pick, shown: 0, of: 0, done: false });
  }

  /** @param {number} previews how many there are @param {number} octaves how many there will be */
  grow(previews, octaves) {
    if (octaves !== this.of || previews < this.shown) this.begin(octaves);
    for (let octave = this.shown + 1; octave <= previews; octave += 1) this.fill(octave);
    this.shown = Math.max(this.shown, previews);
  }

  begin(octaves) {
    this.of = octaves;
    this.shown = 0;
    const places = Array.from({ length: octaves }, (_, place) => h("li", {}, h("span", { class: "hole" }, String(place + 1))));
    this.list.replaceChildren(...places);
  }

  fill(octave) {
    const url = `${this.own}/octaves/${octave}`;
    const words = `after octave ${octave}`;
    const image = h("img", { src: url, alt: "" });
    const button = h("button", { type: "button", class: "thumb", "aria-label": `Show the picture ${words}`, click: () => this.choose(octave, url, words) }, image, h("span", {}, `Octave ${octave}`));
    image.addEventListener("error", () => button.replaceWith(h("span", { class: "hole" }, String(octave))));
    this.list.children[octave - 1]?.replaceChildren(button);
  }

  choose(octave, url, words) {
    for (const [place, item] of [...this.list.children].entries()) item.classList.toggle("current", place + 1 === octave);
    this.pick({ url, words });
  }

  /** The last picture is the result. @param {number} octaves */
  finish(octaves) {
    this.grow(octaves, octaves);
    if (this.done || !octaves) return;
    this.done = true;
    const result = `${this.own}/result`;
    const button = h("button", { type: "button", class: "thumb", "aria-label": "Show the result", click: () => this.choose(octaves + 1, result, "dreamt") }, h("img", { src: `${this.own}/octaves/${octaves}`, alt: "" }), h("span", {}, "Result"));
    this.list.append(h("li", { class: "current" }, button));
  }
}
