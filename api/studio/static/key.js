// The user's key: kept while the tab is open, sent as a header, never part of an address.

const STORED_AS = "dreamfarm-key";
export const KEY_WANTED = "key-wanted";

export function withKey(headers) {
  const key = sessionStorage.getItem(STORED_AS);
  return key ? { ...headers, Authorization: `Bearer ${key}` } : headers;
}

export function askForKeys(onKey) {
  const form = document.getElementById("key-form");
  const field = document.getElementById("key");
  const hint = document.getElementById("key-hint");
  document.addEventListener(KEY_WANTED, () => {
    if (sessionStorage.getItem(STORED_AS)) hint.textContent = "The farm doesn't know this key, or it was revoked.";
    if (!form.hidden) return;
    form.hidden = false;
    field.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(STORED_AS, field.value.trim());
    field.value = "";
    form.hidden = true;
    onKey();
  });
}
