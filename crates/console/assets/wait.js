// Loads a page again as long as it waits for something: on and on, or, where data-wait names a
// route, when its answer changes. The page stays while the server is away.

const PAUSE_MS = 1500;
const place = document.querySelector("[data-wait]");
let seen;

async function look() {
  try {
    const reply = document.hidden ? null : await fetch(place.dataset.wait || location.href);
    if (reply?.ok) {
      const text = await reply.text();
      if (!place.dataset.wait || (seen ?? text) !== text) return location.reload();
      seen = text;
    }
  } catch {
    // It comes back, or it does not.
  }
  setTimeout(look, PAUSE_MS);
}

if (place) setTimeout(look, place.dataset.wait ? 0 : PAUSE_MS);
