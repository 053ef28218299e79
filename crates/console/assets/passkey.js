// Passkeys: takes the options that the page carries, asks the browser, sends its answer with the form
// (W3C WebAuthn level 3).

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** The options of a ceremony with bytes where JSON has base64url. */
function read({ publicKey: key }) {
  const listed = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  const options = { ...key, challenge: bytes(key.challenge) };
  if (key.user) options.user = { ...key.user, id: bytes(key.user.id) };
  if (key.excludeCredentials) options.excludeCredentials = listed(key.excludeCredentials);
  if (key.allowCredentials) options.allowCredentials = listed(key.allowCredentials);
  return options;
}

/** What an authenticator answered, as JSON. */
function written(credential) {
  const { response } = credential;
  const parts = ["attestationObject", "clientDataJSON", "authenticatorData", "signature", "userHandle"]
    .filter((name) => response[name])
    .map((name) => [name, text(response[name])]);
  if (response.getTransports) parts.push(["transports", response.getTransports()]);
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: Object.fromEntries(parts),
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function ask(form) {
  const publicKey = read(JSON.parse(form.dataset.options));
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey })
    : await navigator.credentials.get({ publicKey });
  form.elements[form.dataset.field].value = JSON.stringify(written(credential));
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  let isAnswered = false;
  const answer = async () => {
    const problem = form.querySelector("[data-problem]");
    problem.hidden = true;
    try {
      await ask(form);
      isAnswered = true;
      form.requestSubmit();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  };
  form.addEventListener("submit", (event) => {
    if (isAnswered) return;
    event.preventDefault();
    answer();
  });
  if ("now" in form.dataset) answer();
}
