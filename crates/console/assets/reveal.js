// Values of a person: shown for a minute while somebody looks, then gone from the page.

for (const place of document.querySelectorAll("[data-reveal]")) {
  const say = place.querySelector(".state");
  let left = Number(place.dataset.reveal);
  const hide = () => {
    clearInterval(clock);
    place.querySelector(".values")?.remove();
    say.textContent = place.dataset.gone;
  };
  const tick = () => {
    if (left <= 0) return hide();
    say.textContent = place.dataset.counts.replace("{}", left);
    left -= 1;
  };
  const clock = setInterval(tick, 1000);
  tick();
  // Whoever turns away looks no more; nor does a page that is taken from memory.
  document.addEventListener("visibilitychange", () => { if (document.hidden) hide(); });
  addEventListener("pagehide", hide);
}
