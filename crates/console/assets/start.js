// Makes a pair of keys in this browser (Ed25519 by WebCrypto): the public half goes into the form,
// the private one onto the page and nowhere else.

const place = document.querySelector("[data-pair]");

/** DER as PEM. */
function pem(label, buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return `-----BEGIN ${label}-----\n${text.match(/.{1,64}/g).join("\n")}\n-----END ${label}-----\n`;
}

if (place && crypto.subtle) {
  const make = place.querySelector("[data-make]");
  const shown = place.querySelector("[data-private]");
  const [secret, open] = [place.querySelector("#f-private"), place.querySelector("#f-public")];
  make.hidden = false;
  make.addEventListener("click", async () => {
    shown.hidden = false;
    try {
      const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
      secret.value = pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", pair.privateKey));
      open.value = pem("PUBLIC KEY", await crypto.subtle.exportKey("spki", pair.publicKey));
      secret.focus();
      secret.select();
    } catch {
      secret.value = place.dataset.no;
    }
  });
  // A page that is left with a private half that nobody has seen again asks first.
  let isSent = false;
  place.querySelector("form").addEventListener("submit", () => { isSent = true; });
  addEventListener("beforeunload", (event) => { if (secret.value && !isSent) event.preventDefault(); });
}
