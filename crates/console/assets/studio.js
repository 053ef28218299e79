// The rule studio: asks on each pause what is wrong, what the examples do and what the condition
// would have done; completes and explains at the cursor. All of it stands on the page without it.

const PAUSE_MS = 300;
const form = document.querySelector("form[data-studio]");
const { words } = form ? JSON.parse(form.dataset.studio) : {};
const at = (name) => form.querySelector(`[data-${name}]`);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const bytes = (text) => encoder.encode(text).length;
/** The place in a text of so many bytes. */
const place = (text, count) => decoder.decode(encoder.encode(text).slice(0, count)).length;

function node(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function ask(path, body) {
  const reply = await fetch(path, {
    method: "POST", body: JSON.stringify(body),
    headers: { "content-type": "application/json", "x-csrf-token": form.elements._token.value },
  });
  if (!reply.ok) throw new Error(String(reply.status));
  return reply.json();
}

/** A function that runs when nobody has called it for a while; what came late is dropped. */
function paused(run, pause = PAUSE_MS) {
  let waits, round = 0;
  return () => {
    clearTimeout(waits);
    waits = setTimeout(async () => {
      const mine = ++round;
      try { await run(() => mine === round); } catch { if (mine === round) tell(words.away); }
    }, pause);
  };
}

const tell = (text) => at("problems").replaceChildren(node("li", text, "muted"));
const isText = () => form.elements.as.value === "text";
const FIELDS = ["id", "title", "title_zh", "engine", "when", "action", "reason_code", "reason_text", "warning_code",
  "warning_en", "warning_zh", "stage", "on_fault", "source", "false_positives", "examples"];

function draft() {
  const { elements } = form;
  const ask = { from: elements.from.value, text: elements.text.value, rule: elements.was.value };
  if (isText()) return ask;
  const rule = Object.fromEntries(FIELDS.map((name) => [name, elements[name]?.value ?? ""]));
  rule.score = /^\s*-?\d+\s*$/.test(elements.score.value) ? Number(elements.score.value) : -1;
  rule.hold_minutes = /^\s*\d+\s*$/.test(elements.hold_minutes.value) ? Number(elements.hold_minutes.value) : null;
  return { ...ask, rule: rule.id, change: { replaces: ask.rule || null, rule } };
}

/** Patterns of what the checker says, and what each is in the language of the page. */
const sentences = (words?.said?.sentences ?? []).map(([pattern, text]) => [
  new RegExp(`^${pattern.split("{}").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("(.*?)")}$`, "s"), text.split("{}"),
]);
const kinds = new Map(words?.said?.kinds ?? []);

function inWords(sentence) {
  for (const [pattern, [first, ...rest]] of sentences) {
    const values = pattern.exec(sentence)?.slice(1);
    if (values) return rest.reduce((said, part, place) => said + value(said, values[place]) + part, first);
  }
  return sentence;
}

/** What stands in quotes is a name and stays; of others, sentences and words of the checker are said. */
function value(before, text) {
  return /[`“]$/.test(before) ? text : kinds.get(text) ?? inWords(text);
}

function problem({ is_error: isError, code, message, hint, rule, line, place: where }) {
  const item = node("li");
  item.append(node("span", words.codes[code] ?? code, `badge ${isError ? "bad" : "care"}`), " ");
  if (rule) item.append(node("code", rule, "id"), " ");
  if (line) item.append(node("span", words.line.replace("{}", line), "muted"));
  const said = node("p", inWords(message));
  if (hint) said.append(" ", node("b", inWords(hint)));
  item.append(said);
  if (where) {
    const letters = [...where.text];
    const rest = letters.slice(where.column - 1).join("");
    const cut = place(rest, where.end - where.start) || 1;
    const shown = node("pre", letters.slice(0, where.column - 1).join(""), "excerpt");
    shown.append(node("mark", rest.slice(0, cut)), rest.slice(cut));
    item.append(shown);
  }
  return item;
}

function showExamples(examples) {
  const list = at("examples");
  const { hit, miss, holds, fails, empty } = list.dataset;
  if (!examples?.length) { list.replaceChildren(node("li", empty, "muted")); return; }
  list.replaceChildren(...examples.map((one) => {
    const item = node("li");
    item.append(node("span", one.holds ? holds : fails, `badge ${one.holds ? "good" : "bad"}`), " ",
      node("span", one.hit ? hit : miss, "muted"), " ", one.name);
    if (!one.holds && one.truth) item.append(` · ${one.truth}`);
    if (one.problem) item.append(node("p", inWords(one.problem)));
    return item;
  }));
}

function showEffect(glance) {
  const panel = at("effects");
  const put = (name, value) => { panel.querySelector(`[data-effect="${name}"]`).textContent = value; };
  const number = (value) => value.toLocaleString("en");
  panel.querySelector("[data-waits]").hidden = true;
  put("fired", number(glance.fired.payments));
  put("payments", panel.dataset.last.replace("{}", number(glance.payments.payments)));
  put("fraud", number(glance.fired.fraud));
  for (const name of ["stopped_already", "unknown", "windows_not_kept"]) put(name, number(glance[name]));
  panel.querySelector("[data-samples]").replaceChildren(...glance.samples.flatMap((payment) => {
    const link = node("a", payment, "id");
    link.href = `/decisions?payment_id=${encodeURIComponent(payment)}`;
    return [link, " "];
  }));
}

let meaning = null;
/** What is wrong with the condition itself, by places in it. */
let marks = [];

const check = paused(async (isLast) => {
  const asked = draft();
  const report = await ask("/v1/rules/check", asked);
  if (!isLast()) return;
  const { problems, rule } = report;
  if (problems.length) at("problems").replaceChildren(...problems.map(problem));
  else tell(words.clean);
  showExamples(rule?.examples);
  const mine = report.pack ? `${report.pack}.${asked.rule}` : null;
  marks = problems.filter((one) => one.place && (!mine || one.rule === mine)).map((one) => ({ ...one.place, isError: one.is_error }));
  paint();
  if (rule?.meaning && rule.meaning !== meaning) {
    const glance = await ask("/v1/rules/effect", { expression: rule.meaning });
    meaning = rule.meaning;
    if (isLast()) showEffect(glance);
  }
});

// The condition: marks behind the text, completions below the cursor, what stands there.
const field = form?.querySelector("[data-condition]");
const behind = form?.querySelector("[data-behind]");
const list = document.getElementById("completions");
let offered = [], chosen = 0;

/** Draws the text behind the field again, with what is wrong marked, up to a place if one is given. */
function paint() {
  if (!field) return;
  const text = field.value;
  const parts = [];
  let from = 0;
  for (const mark of [...marks].sort((left, right) => left.start - right.start)) {
    const [start, end] = [place(text, mark.start), place(text, mark.end)];
    if (start < from || start > text.length) continue;
    parts.push(text.slice(from, start), node("mark", text.slice(start, Math.max(end, start + 1)) || " ", mark.isError ? "bad" : "care"));
    from = Math.max(end, start + 1);
  }
  behind.replaceChildren(...parts, `${text.slice(from)}\n`);
  behind.scrollTop = field.scrollTop;
}

/** Where the cursor is on the page. */
function caret() {
  const measure = node("span");
  behind.replaceChildren(field.value.slice(0, field.selectionStart), measure, field.value.slice(field.selectionStart));
  const inner = measure.getBoundingClientRect();
  const outer = behind.getBoundingClientRect();
  paint();
  return { left: inner.left - outer.left, top: inner.bottom - outer.top };
}

function helped() {
  const text = form.elements.text.value;
  const asks = /^(use|define):/m.test(text) ? { text } : {};
  return { expression: field.value, cursor: bytes(field.value.slice(0, field.selectionStart)), from: form.elements.from.value, ...asks };
}

function close() {
  list.hidden = true;
  offered = [];
  field.removeAttribute("aria-activedescendant");
}

function offer() {
  list.replaceChildren(...offered.map((one, index) => {
    const item = node("li");
    item.id = `completion-${index}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(index === chosen));
    item.append(node("b", one.text), " ", node("span", one.detail || one.kind, "muted"));
    item.title = one.doc;
    item.onmousedown = (event) => { event.preventDefault(); chosen = index; take(); };
    return item;
  }));
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", `completion-${chosen}`);
}

function take() {
  const one = offered[chosen];
  const text = field.value;
  field.setRangeText(one.text, place(text, one.start), field.selectionStart, "end");
  close();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

const complete = paused(async (isLast) => {
  const asked = helped();
  const { completions } = await ask("/v1/rules/completions", asked);
  if (!isLast() || document.activeElement !== field || !completions.length) return close();
  const typed = field.value.slice(place(field.value, completions[0].start), field.selectionStart);
  if (completions.length === 1 && completions[0].text === typed) return close();
  offered = completions.slice(0, 50);
  chosen = 0;
  const { left, top } = caret();
  list.style.left = `${Math.min(left, behind.clientWidth - 280)}px`;
  list.style.top = `${top + 2}px`;
  list.hidden = false;
  offer();
}, 120);

const explain = paused(async (isLast) => {
  const { hover } = await ask("/v1/rules/hover", helped());
  if (!isLast()) return;
  at("at-cursor").replaceChildren(...(hover ? [node("code", hover.title), " ", hover.doc] : []));
}, 200);

if (field) {
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", "completions");
  close();
  field.addEventListener("input", (event) => {
    marks = [];
    paint();
    // Completions follow words and dots; after a blank they come when asked for.
    if (event.data && /[\w."]/.test(event.data)) complete(); else close();
  });
  field.addEventListener("scroll", () => { behind.scrollTop = field.scrollTop; });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (event.key === " " && event.ctrlKey) { event.preventDefault(); complete(); return; }
    if (list.hidden) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) { chosen = (chosen + steps[event.key] + offered.length) % offered.length; offer(); }
    else if (event.key === "Enter" || event.key === "Tab") take();
    else if (event.key === "Escape") { event.stopPropagation(); close(); }
    else return;
    event.preventDefault();
  });
  document.addEventListener("selectionchange", () => { if (document.activeElement === field) explain(); });
  paint();
}

if (form) {
  const [shelf, open] = [".shelf", ".shelf .pack[aria-current]"].map((one) => document.querySelector(one));
  if (open) shelf.scrollTop = open.offsetTop - 8;
  form.addEventListener("input", check);
  form.addEventListener("change", check);
  check();
}
