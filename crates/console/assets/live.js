// Keeps a page current: fetches it again and puts its live parts in the place of the old ones.
// Parts are moved as nodes; no text becomes markup in this document.

const PAUSE_MS = 5000;
const PAUSE_MS_MAX = 60000;
let pause = PAUSE_MS;

async function renew() {
  if (document.hidden) return;
  const reply = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!reply.ok || reply.redirected) throw new Error(String(reply.status));
  const answer = await reply.text();
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = cut(answer, part.dataset.live);
    if (fresh !== null && fresh !== part.textContent) part.textContent = fresh;
  }
}

/** The text of a live part, which holds nothing but text. */
function cut(answer, name) {
  const opening = answer.indexOf(`data-live="${name}"`);
  if (opening < 0) return null;
  const begin = answer.indexOf(">", opening) + 1;
  const text = answer.slice(begin, answer.indexOf("<", begin));
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&amp;/g, "&");
}

async function round() {
  try {
    await renew();
    pause = PAUSE_MS;
  } catch {
    // The server is away: come again, less and less often.
    pause = Math.min(pause * 2, PAUSE_MS_MAX);
  }
  setTimeout(round, pause);
}

setTimeout(round, pause);
