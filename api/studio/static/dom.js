// Small tools that all pages share: making elements, and saying numbers as people do.

/**
 * Make an element. `props` are attributes, save for functions, which listen; text never becomes markup.
 * @param {string} tag
 * @param {Record<string, unknown>} [props]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Show or hide an element by whether there is text for it. @param {HTMLElement} element @param {string} [text] */
export function say(element, text) {
  element.textContent = text ?? "";
  element.hidden = !text;
}

/** Tell something at the page's edge, for some seconds. @param {string} text @param {"good" | "bad"} [kind] */
export function toast(text, kind = "good") {
  const told = h("p", { class: `toast ${kind}` }, text);
  byId("toasts").append(told);
  setTimeout(() => told.remove(), 6000);
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 0.95) return "under 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const place = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const amount = bytes / 1000 ** place;
  return `${amount < 10 && place ? amount.toFixed(1) : Math.round(amount)} ${units[place]}`;
}

const DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
/** @param {number} value */
export const digits = (value) => DIGITS.format(value);

const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
/** For a chart's edge. @param {number} value */
export const short = (value) => SHORT.format(value);

const COUNT = new Intl.NumberFormat("en");
/** @param {number} value @param {string} one @param {string} [many] */
export const count = (value, one, many = `${one}s`) => `${COUNT.format(value)} ${value === 1 ? one : many}`;

/** Say how long ago a time was. @param {string} iso */
export function ago(iso) {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  return seconds < 5 ? "just now" : `${duration(seconds)} ago`;
}

export const STATES = {
  queued: "Waiting",
  running: "Dreaming",
  succeeded: "Done",
  failed: "Failed",
  canceled: "Canceled",
  expired: "Expired",
};

/** @param {string} state */
export const badge = (state) => h("span", { class: "badge", "data-state": state }, STATES[state] ?? state);

/** Call `act` once things have been quiet for so long. @param {() => void} act @param {number} wait_ms */
export function settled(act, wait_ms) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, wait_ms);
  };
}

/** Look again and again while the page is seen. @param {() => Promise<unknown>} look @param {number} every_ms */
export function repeatedly(look, every_ms) {
  const round = async () => {
    if (!document.hidden) await look().catch(() => null);
    setTimeout(round, every_ms);
  };
  round();
}

/** @param {HTMLElement} button @param {() => Promise<unknown>} work */
export async function during(button, work) {
  button.disabled = true;
  try {
    return await work();
  } catch (problem) {
    toast(problem.message, "bad");
    return null;
  } finally {
    button.disabled = false;
  }
}
