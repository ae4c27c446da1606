// A wall of pictures coloured by state. However many there are, only those in sight are on the page.

import { h, STATES } from "./dom.js";

const GAP_PX = 8;
const BEYOND_ROWS = 2;
const REST_MS = 120;

/**
 * A tile: what stands at a place of the wall. `picture` is tried first, then `otherwise`.
 * @typedef {{id: string | null, state: string, name?: string, picture?: string, otherwise?: string}} Tile
 */

export class Wall {
  /**
   * @param {HTMLElement} place
   * @param {{tile: (index: number) => Tile, side?: number, onSelect?: (ids: Set<string>) => void, onSight?: (last: number) => void}} options
   */
  constructor(place, { tile, side = 132, onSelect = () => {}, onSight = () => {} }) {
    Object.assign(this, { place, tile, side, onSelect, onSight, count: 0, selected: new Set(), shown: new Map(), anchor: null });
    place.classList.add("wall");
    place.setAttribute("role", "list");
    const look = () => requestAnimationFrame(() => this.render());
    addEventListener("scroll", look, { passive: true });
    new ResizeObserver(look).observe(place);
    place.addEventListener("keydown", (event) => this.onKey(event));
    place.addEventListener("click", (event) => this.onClick(event));
  }

  /** Say how many tiles there are, and look at all of them anew. @param {number} count */
  update(count) {
    this.count = count;
    this.render();
  }

  /** Reckon rows and columns anew, where width or number changed. */
  layout() {
    const width = this.place.clientWidth || 1;
    const now = `${width} ${this.count}`;
    if (now === this.laidOut) return;
    this.laidOut = now;
    this.width = width;
    this.moved = true;
    this.columns = Math.max(2, Math.floor((this.width + GAP_PX) / (this.side + GAP_PX)));
    this.pitch = (this.width + GAP_PX) / this.columns;
    const rows = Math.ceil(this.count / this.columns);
    this.place.style.setProperty("height", `${Math.max(0, rows * this.pitch - GAP_PX)}px`);
  }

  render() {
    this.layout();
    const top = this.place.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / this.pitch) - BEYOND_ROWS) * this.columns;
    const last = Math.min(this.count, Math.ceil((innerHeight - top) / this.pitch + BEYOND_ROWS) * this.columns);
    for (const [index, element] of this.shown) {
      if (index < first || index >= last) {
        element.remove();
        this.shown.delete(index);
      }
    }
    for (let index = first; index < last; index += 1) this.put(index, last);
    this.moved = false;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.loadPictures(), REST_MS);
    this.onSight(last);
  }

  /** @param {number} index @param {number} last where the part in sight ends */
  put(index, last) {
    const tile = this.tile(index);
    const old = this.shown.get(index);
    const key = `${tile.id} ${tile.state} ${tile.picture ?? ""}`;
    const element = old?.dataset.key === key ? old : this.make(tile, index, key);
    if (element !== old) {
      if (old?.contains(document.activeElement)) queueMicrotask(() => element.querySelector("a")?.focus());
      old ? old.replaceWith(element) : this.insert(element, index, last);
      this.shown.set(index, element);
    }
    if (element !== old || this.moved) this.lay(element, index);
  }

  /** @param {HTMLElement} element @param {number} index */
  lay(element, index) {
    const [column, row] = [index % this.columns, Math.floor(index / this.columns)];
    const side = this.pitch - GAP_PX;
    element.style.setProperty("transform", `translate(${column * this.pitch}px, ${row * this.pitch}px)`);
    element.style.setProperty("width", `${side}px`);
    element.style.setProperty("height", `${side}px`);
  }

  /** Keep the page's order that of the wall, for the keyboard. */
  insert(element, index, last) {
    let next = index + 1;
    while (next < last && !this.shown.has(next)) next += 1;
    this.place.insertBefore(element, this.shown.get(next) ?? null);
  }

  /** @param {Tile} tile @param {number} index @param {string} key */
  make(tile, index, key) {
    const name = tile.name || `Number ${index + 1}`;
    const word = STATES[tile.state] ?? tile.state;
    const link = h(tile.id ? "a" : "span", { class: "tile-link", ...(tile.id && { href: `/jobs/${tile.id}` }), "aria-label": `${name}: ${word}`, title: `${name}: ${word}` });
    const box = tile.id && h("input", { type: "checkbox", class: "pick", checked: this.selected.has(tile.id), "aria-label": `Select ${name}` });
    const element = h("div", { class: "tile", role: "listitem", "data-state": tile.state, "data-key": key, "aria-posinset": index + 1, "aria-setsize": this.count }, link, box);
    element.dataset.index = String(index);
    return element;
  }

  /** Once the wall rests: pictures for those tiles that are still in sight. */
  loadPictures() {
    for (const [index, element] of this.shown) {
      const { picture, otherwise } = this.tile(index);
      const link = element.firstElementChild;
      if (!picture || link.firstElementChild) continue;
      const image = h("img", { alt: "", src: picture, loading: "lazy", decoding: "async" });
      image.addEventListener("error", () => (otherwise && !image.src.endsWith(otherwise) ? (image.src = otherwise) : image.remove()));
      link.append(image);
    }
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const element = event.target.closest(".tile");
    if (!element) return;
    const index = Number(element.dataset.index);
    const isBox = event.target.classList.contains("pick");
    if (!isBox && !event.shiftKey && !event.ctrlKey && !event.metaKey) return;
    if (!isBox) event.preventDefault();
    const on = isBox ? event.target.checked : true;
    const from = event.shiftKey && this.anchor !== null ? this.anchor : index;
    for (let at = Math.min(from, index); at <= Math.max(from, index); at += 1) this.select(this.tile(at).id, on);
    this.anchor = index;
    this.showSelected();
  }

  select(id, on) {
    if (!id) return;
    if (on) this.selected.add(id);
    else this.selected.delete(id);
  }

  /** @param {Iterable<string>} ids */
  selectAll(ids) {
    this.selected = new Set(ids);
    this.showSelected();
  }

  showSelected() {
    for (const [index, element] of this.shown) {
      const box = element.querySelector(".pick");
      if (box) box.checked = this.selected.has(this.tile(index).id);
    }
    this.onSelect(this.selected);
  }

  /** Arrows go from tile to tile. @param {KeyboardEvent} event */
  onKey(event) {
    const far = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, Home: -this.count, End: this.count }[event.key];
    const element = event.target.closest(".tile");
    if (far === undefined || !element) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(this.count - 1, Number(element.dataset.index) + far));
    const top = this.place.getBoundingClientRect().top + Math.floor(index / this.columns) * this.pitch;
    if (top < 60 || top + this.pitch > innerHeight - 70) scrollBy(0, top - innerHeight / 2);
    this.render();
    this.shown.get(index)?.querySelector("a")?.focus({ preventScroll: true });
  }
}

/** The tile of a job. @param {any} job @returns {Tile} */
export function tileOf(job) {
  const own = `/v1/jobs/${job.id}`;
  const otherwise = job.state === "succeeded" && ["png", "jpeg", "webp", "gif"].includes(job.format) ? `${own}/result` : undefined;
  return { id: job.id, state: job.state, name: job.name, picture: "preview" in job.links ? `${own}/preview` : otherwise, otherwise };
}
