// Which layers have a picture of what they dream of: the page is told with its list of networks.

import { byId } from "./dom.js";

/** @type {Record<string, string[]>} */
const pictured = JSON.parse(byId("model").dataset.pictured);

/** @param {string} model */
export const hasThumbnails = (model) => model in pictured;

/** Where a layer's picture is; null where there is none. @param {string} model @param {string} layer */
export function thumbnailOf(model, layer) {
  return pictured[model]?.includes(layer) ? `/studio/static/layers/${encodeURIComponent(model)}/${encodeURIComponent(layer)}.webp` : null;
}
