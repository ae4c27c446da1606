// Two pictures, one above the other, with a line between them to move; zooms to single pixels.

import { h } from "./dom.js";

const CLOSEST = 32;

export class Compare {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
    this.after = h("img", { class: "after", alt: "", draggable: "false" });
    this.before = h("img", { class: "before", alt: "", draggable: "false", hidden: true });
    this.plane = h("div", { class: "plane" }, this.after, this.before);
    this.line = h("span", { class: "divider", hidden: true });
    this.slide = h("input", { class: "slide", type: "range", min: 0, max: 100, value: 50, step: 0.5, "aria-label": "Share of the original shown", hidden: true, input: () => this.split() });
    this.level = h("output", { class: "level" }, "Fit");
    this.window = h("div", { class: "window", tabindex: "0", "aria-label": "Picture: plus and minus zoom, arrows move", role: "group" }, this.plane, this.line);
    place.replaceChildren(this.window, h("div", { class: "compare-bar" }, this.slide, this.buttons()));
    place.classList.add("compare");
    this.listen();
  }

  buttons() {
    const button = (text, label, click) => h("button", { type: "button", class: "small", "aria-label": label, click }, text);
    return h(
      "span", { class: "zooms" },
      button("−", "Zoom out", () => this.zoomBy(0.5)), this.level, button("+", "Zoom in", () => this.zoomBy(2)),
      button("Fit", "Show the whole picture", () => this.zoomTo(1)), button("1:1", "Show single pixels of the picture as the screen's", () => this.toPixels()),
    );
  }

  /** @param {string} url @param {string} alt */
  showAfter(url, alt) {
    Object.assign(this.after, { src: url, alt });
  }

  /** @param {string} url @param {string} alt */
  showBefore(url, alt) {
    this.before.addEventListener("load", () => {
      for (const part of [this.before, this.line, this.slide]) part.hidden = false;
      this.split();
    }, { once: true });
    Object.assign(this.before, { src: url, alt });
  }

  split() {
    this.window.style.setProperty("--split", `${this.slide.value}%`);
    this.move();
  }

  /** px of the screen per px of the picture, as it fits */
  fit() {
    const box = this.window.getBoundingClientRect();
    return Math.min(box.width / (this.after.naturalWidth || 1), box.height / (this.after.naturalHeight || 1));
  }

  toPixels() {
    this.zoomTo(1 / (this.fit() * window.devicePixelRatio));
  }

  zoomBy(factor, at) {
    this.zoomTo(this.zoom * factor, at);
  }

  /** @param {number} zoom @param {{x: number, y: number}} [at] what stays where it is, from the middle, px */
  zoomTo(zoom, at = { x: 0, y: 0 }) {
    const next = Math.max(1, Math.min(CLOSEST / this.fit(), zoom));
    this.x = at.x - ((at.x - this.x) * next) / this.zoom;
    this.y = at.y - ((at.y - this.y) * next) / this.zoom;
    this.zoom = next;
    this.move();
  }

  move() {
    const box = this.window.getBoundingClientRect();
    const far = { x: (box.width * (this.zoom - 1)) / 2, y: (box.height * (this.zoom - 1)) / 2 };
    this.x = Math.max(-far.x, Math.min(far.x, this.x));
    this.y = Math.max(-far.y, Math.min(far.y, this.y));
    this.plane.style.setProperty("transform", `translate(${this.x}px, ${this.y}px) scale(${this.zoom})`);
    const line = (Number(this.slide.value) / 100) * box.width;
    const inside = ((line - box.width / 2 - this.x) / this.zoom + box.width / 2) / (box.width || 1);
    this.plane.style.setProperty("--cut", `${Math.max(0, Math.min(1, inside)) * 100}%`);
    const shown = this.zoom * this.fit() * window.devicePixelRatio;
    this.level.textContent = this.zoom === 1 ? "Fit" : `${Math.round(shown * 100)} %`;
    this.window.classList.toggle("pixels", shown >= 2 && this.zoom > 1);
  }

  listen() {
    const from = (event) => {
      const box = this.window.getBoundingClientRect();
      return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
    };
    this.window.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(event.deltaY < 0 ? 1.25 : 0.8, from(event));
    }, { passive: false });
    this.window.addEventListener("dblclick", (event) => (this.zoom === 1 ? this.zoomTo(1 / (this.fit() * window.devicePixelRatio), from(event)) : this.zoomTo(1)));
    this.window.addEventListener("keydown", (event) => this.onKey(event));
    this.window.addEventListener("pointerdown", (event) => this.grip(event));
    new ResizeObserver(() => this.move()).observe(this.window);
    this.after.addEventListener("load", () => this.move());
  }

  onKey(event) {
    const far = 60;
    const strides = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
    if (event.key === "+" || event.key === "=") this.zoomBy(1.5);
    else if (event.key === "-") this.zoomBy(1 / 1.5);
    else if (event.key === "0") this.zoomTo(1);
    else if (event.key === "1") this.toPixels();
    else if (strides[event.key] && this.zoom > 1) {
      this.x += strides[event.key][0];
      this.y += strides[event.key][1];
      this.move();
    } else return;
    event.preventDefault();
  }

  /** Near the line the pointer moves it, elsewhere the picture; where all is shown, the line comes to the pointer. */
  grip(event) {
    if (event.button) return;
    const box = this.window.getBoundingClientRect();
    const line = box.left + (Number(this.slide.value) / 100) * box.width;
    const moves = !this.slide.hidden && (this.zoom === 1 || Math.abs(event.clientX - line) < 24);
    let { clientX, clientY } = event;
    const drag = (next) => {
      if (moves) {
        this.slide.value = String(((next.clientX - box.left) / box.width) * 100);
        this.split();
      } else {
        this.x += next.clientX - clientX;
        this.y += next.clientY - clientY;
        this.move();
      }
      ({ clientX, clientY } = next);
    };
    this.window.setPointerCapture(event.pointerId);
    drag(event);
    this.window.addEventListener("pointermove", drag);
    const end = () => this.window.removeEventListener("pointermove", drag);
    for (const name of ["pointerup", "pointercancel"]) this.window.addEventListener(name, end, { once: true });
  }
}
