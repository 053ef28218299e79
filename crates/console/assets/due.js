// Lets the time run that is left until something is due.

const TICK_MS = 20000;

function run() {
  for (const place of document.querySelectorAll("[data-due]")) {
    const minutes = Math.floor((Number(place.dataset.due) - Date.now()) / 60000);
    const size = Math.abs(minutes);
    const text = `${minutes < 0 ? "−" : ""}${Math.floor(size / 60)}:${String(size % 60).padStart(2, "0")}`;
    const tone = minutes < 0 ? "bad" : minutes < 60 ? "care" : "plain";
    if (place.textContent !== text) place.textContent = text;
    place.className = `badge left ${tone}`;
  }
}

setInterval(run, TICK_MS);
