// Who one is; for admins the keys and the latest changes.

import { call, listKeys, makeKey, revokeKey, whoAmI } from "./api.js";
import { copy } from "./copy.js";
import { ago, byId, during, h, say } from "./dom.js";

const SCOPES = { read: "look", submit: "dream", admin: "run the farm" };
const words = (scopes) => scopes.map((scope) => SCOPES[scope] ?? scope).join(", ");

function showMe(me) {
  const facts = [["owner", me.owner], ["may", words(me.scopes)], ...(me.key_id ? [["key", me.key_id]] : [])];
  byId("me").replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  byId("no-keys").hidden = me.key_id !== null;
}

function keyRow(key) {
  const revoke = async () => {
    if (!confirm(`Revoke ${key.owner}'s key${key.name ? ` “${key.name}”` : ""}? It opens nothing from then on.`)) return;
    await revokeKey(key.id);
    await showKeys();
  };
  const end = key.revoked_at ? h("span", { class: "hint" }, `revoked ${ago(key.revoked_at)}`) : h("button", { type: "button", class: "small danger", "aria-label": `Revoke ${key.owner}'s key ${key.name ?? ""}`, click: (event) => during(event.currentTarget, revoke) }, "Revoke");
  return h(
    "tr", { class: key.revoked_at ? "gone" : "" },
    h("th", { scope: "row" }, key.owner), h("td", {}, key.name ?? "–"), h("td", {}, words(key.scopes)),
    h("td", {}, ago(key.created_at)), h("td", {}, key.last_used_at ? ago(key.last_used_at) : "never"), h("td", {}, end),
  );
}

async function showKeys() {
  const keys = await listKeys();
  byId("keys").replaceChildren(...keys.reverse().map(keyRow));
}

async function showChanges() {
  const { entries } = await call("/v1/audit?limit=20");
  const rows = entries.map((one) => h("tr", {}, h("td", {}, ago(one.made_at)), h("td", {}, one.owner), h("td", {}, one.action.replaceAll("_", " ")), h("td", {}, h("code", {}, one.subject))));
  byId("audit").replaceChildren(...rows);
}

async function make(event) {
  event.preventDefault();
  say(byId("new-key-problem"));
  const scopes = [...document.querySelectorAll("[name=scope]:checked")].map((box) => box.value);
  try {
    const made = await makeKey({ owner: byId("key-owner").value.trim(), scopes, name: byId("key-name").value.trim() || null });
    byId("made-key-text").textContent = made.key;
    byId("made-key").hidden = false;
    event.target.reset();
    await showKeys();
  } catch (problem) {
    say(byId("new-key-problem"), problem.message);
  }
}

async function start() {
  const me = await whoAmI();
  showMe(me);
  if (!me.scopes.includes("admin")) return;
  byId("keys-box").hidden = byId("audit-box").hidden = false;
  byId("new-key").addEventListener("submit", make);
  byId("copy-key").addEventListener("click", () => copy(byId("made-key-text").textContent, "The key"));
  await Promise.all([showKeys(), showChanges()]);
}

start().catch(() => null);
