// Decisions as they come: a stream of events, taken up where it broke off. Rows are clones of
// templates that are filled with text.

const place = document.querySelector("[data-stream]");
const say = place.querySelector(".state");
const toggle = place.querySelector("[data-toggle]");
const again = place.querySelector("[data-again]");
const body = document.querySelector(".live tbody");
const ROWS_MAX = 200;
const PAUSE_MS = 2000;
const told = place.dataset;
let source, last = "", isPaused = false, retry;

const template = (name) => document.querySelector(`template[${name}]`).content.firstElementChild.cloneNode(true);

function row({ to, texts, outcome, scores }) {
  const made = template("data-row");
  const cells = [...made.children];
  const link = cells[1].querySelector("a");
  cells[0].querySelector("time").textContent = texts[0];
  link.textContent = texts[1];
  link.href = to;
  [2, 3, 7].forEach((cell, number) => { cells[cell].textContent = texts[number + 2]; });
  cells[4].append(template(`data-outcome="${outcome}"`));
  scores.forEach(([score, tone], number) => {
    const cell = cells[5 + number];
    cell.querySelector("svg").setAttribute("class", `bar ${tone}`);
    cell.querySelector(".fill").setAttribute("width", Math.min(score, 1000) / 20);
    cell.querySelector(".number").textContent = score;
  });
  return made;
}

function put(text) {
  const { rows, missed } = JSON.parse(text);
  document.querySelector("[data-none]")?.remove();
  if (missed) {
    const made = template("data-missed");
    const link = made.querySelector("a");
    link.textContent = missed.text;
    link.href = missed.to;
    body.prepend(made);
  }
  // Whoever reads a row keeps it in view.
  const top = scrollY, before = body.offsetHeight;
  rows.forEach((one) => body.prepend(row(one)));
  while (body.children.length > ROWS_MAX) body.lastElementChild.remove();
  if (top > 200) scrollTo({ top: top + body.offsetHeight - before });
}

function open() {
  clearTimeout(retry);
  source?.close();
  if (isPaused || document.hidden) return;
  const address = new URL(told.stream, location.href);
  if (last) address.searchParams.set("after", last);
  source = new EventSource(address);
  source.onopen = () => tell(told.flows);
  source.addEventListener("decisions", (event) => { last = event.lastEventId; put(event.data); });
  source.addEventListener("refused", (event) => {
    const { text, lang } = JSON.parse(event.data);
    stop(text, lang);
  });
  source.addEventListener("ended", () => { stop(told.ended); again.hidden = false; });
  source.onerror = () => {
    tell(told.away);
    // A browser gives up where the server answers something else than a stream.
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(check, PAUSE_MS);
  };
}

/** Whether the server is away, or the session is over. */
async function check() {
  try {
    const reply = await fetch("/live", { redirect: "manual" });
    if (reply.type === "opaqueredirect") { stop(told.ended); again.hidden = false; return; }
  } catch { /* away still */ }
  open();
}

/** In the language of the page, if it is no other. */
function tell(text, lang) {
  say.textContent = text;
  say.lang = lang ?? document.documentElement.lang;
}

function stop(text, lang) {
  source?.close();
  clearTimeout(retry);
  isPaused = true;
  toggle.textContent = told.goOn;
  tell(text, lang);
}

toggle.hidden = false;
toggle.addEventListener("click", () => {
  if (isPaused) {
    isPaused = false;
    toggle.textContent = told.pause;
    open();
  } else stop(told.stands);
});
document.addEventListener("visibilitychange", () => { document.hidden ? source?.close() : open(); });
open();
