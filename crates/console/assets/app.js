// Keys, the palette, and the secret of a one-time link. Every page works without it.

const root = document.documentElement;
const find = (selector) => document.querySelector(selector);
const lettersAreCommands = root.dataset.keys === "on";
/** Letters that do what others do usually; the usual ones of those do nothing then. */
const changed = Object.entries(JSON.parse(root.dataset.keymap ?? "{}"));
const usual = (key) => {
  const found = changed.find(([, other]) => other === key);
  return found ? found[0] : changed.some(([one]) => one === key) ? "" : key;
};

/** The first link of each row: what j and k walk over, tables that are folded away left out. */
const rows = () => [...document.querySelectorAll("tbody tr > td:first-child a, tbody tr > td:nth-child(2) a")]
  .filter((link) => !link.closest("tr").closest("details"))
  .filter((link, place, all) => all.findIndex((other) => other.closest("tr") === link.closest("tr")) === place);

function step(by) {
  const all = rows();
  const here = all.findIndex((link) => link.closest("tr").contains(document.activeElement));
  const next = all[Math.min(Math.max(here + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function open(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  if (id === "palette") fill(dialog);
}

function places() {
  return [...document.querySelectorAll("nav.side a, .person .sheet a")]
    .map((link) => ({ text: link.textContent.trim(), to: link.getAttribute("href") }));
}

function fill(dialog) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  input.value = "";
  let chosen = 0;
  const draw = () => {
    const wanted = input.value.trim().toLowerCase();
    const found = places().filter(({ text }) => text.toLowerCase().includes(wanted));
    if (wanted) found.push({ text: `${find("[data-search]")?.getAttribute("aria-label") ?? ""}: ${input.value.trim()}`, to: `/find?q=${encodeURIComponent(input.value.trim())}` });
    chosen = Math.min(chosen, Math.max(found.length - 1, 0));
    list.replaceChildren(...found.map(({ text, to }, place) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = to;
      link.textContent = text;
      if (place === chosen) link.setAttribute("aria-selected", "true");
      item.append(link);
      return item;
    }));
  };
  input.oninput = () => { chosen = 0; draw(); };
  input.onkeydown = (event) => {
    if (event.key === "ArrowDown") chosen += 1;
    else if (event.key === "ArrowUp") chosen = Math.max(chosen - 1, 0);
    else if (event.key === "Enter") { list.querySelectorAll("a")[chosen]?.click(); return; }
    else return;
    event.preventDefault();
    draw();
  };
  draw();
  input.focus();
}

const commands = {
  "/": () => find("[data-search]")?.focus(),
  "?": () => open("sheet"),
  j: () => step(1),
  k: () => step(-1),
  n: () => find('a[rel="next"]')?.click(),
  x: () => document.activeElement.closest("tr")?.querySelector('input[type="checkbox"]')?.click(),
};

/** What a key, or two after each other, do on this page: places say so by data-keys. */
const placeOf = (keys, begins = "") => find(`[data-keys${begins}="${CSS.escape(keys)}"]`);
let first = "", pressed = 0;

/** A form that is folded away is opened for what it wants to know; all else is done. */
function act(place) {
  place.click();
  if (place.matches("summary")) place.parentElement.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open("palette");
    return;
  }
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "Escape" && !find("dialog[open]")) {
    if (typing) typing.blur();
    else find("details.person[open]") ? find("details.person").open = false : find("[data-back]")?.click();
    return;
  }
  if (!lettersAreCommands || typing || find("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const isSecond = first && Date.now() - pressed < 1500;
  const key = isSecond ? event.key : usual(event.key);
  const keys = isSecond ? `${first} ${key}` : key;
  const place = placeOf(keys);
  first = "";
  if (place) { event.preventDefault(); act(place); return; }
  if (key && placeOf(`${key} `, "^")) { [first, pressed] = [key, Date.now()]; return; }
  const command = commands[key];
  if (command) { event.preventDefault(); command(); }
});

document.addEventListener("click", (event) => {
  const menu = find("details.person[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});

// Where somebody only passes through.
for (const place of document.querySelectorAll("[data-now]:not([data-passkey])")) place.requestSubmit ? place.requestSubmit() : place.click();

// The secret of a one-time link stands behind #, which browsers keep to themselves.
for (const form of document.querySelectorAll("form[data-from-hash]")) {
  const secret = location.hash.slice(1);
  if (!secret) continue;
  const field = form.elements[form.dataset.fromHash];
  field.value = secret;
  field.closest(".field").hidden = true;
  history.replaceState(null, "", location.pathname);
}
