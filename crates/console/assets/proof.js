// Checks in this browser that a leaf is in the signed tree (RFC 6962, section 2.1.1): hashes the
// bytes that are shown, walks up to the root, compares it with the checkpoint.

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const text = (array) => btoa(String.fromCharCode(...array));

async function hash(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((place, part) => { all.set(part, place); return place + part.length; }, 0);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

/** The root that a leaf and its proof come to (RFC 9162, section 2.1.3.2); null if the proof fits no such tree. */
async function rootOf(leaf, index, size, proof) {
  if (index >= size) return null;
  let node = BigInt(index);
  let last = BigInt(size) - 1n;
  let root = await hash(new Uint8Array([0]), leaf);
  for (const neighbour of proof) {
    if (last === 0n) return null;
    if (node & 1n || node === last) {
      root = await hash(new Uint8Array([1]), neighbour, root);
      while (!(node & 1n) && node !== 0n) { node >>= 1n; last >>= 1n; }
    } else {
      root = await hash(new Uint8Array([1]), root, neighbour);
    }
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? root : null;
}

/** Size and root that a signed note states (C2SP tlog-checkpoint). */
function stated(note) {
  const lines = note.split("\n");
  return { size: Number(lines[1]), root: lines[2] };
}

for (const place of document.querySelectorAll("[data-proof]")) {
  const button = place.querySelector("button");
  const told = place.querySelector("[data-told]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { leaf, index, hashes, note } = JSON.parse(place.dataset.proof);
    const { size, root } = stated(note);
    const found = await rootOf(bytes(leaf), index, size, hashes.map(bytes));
    const holds = found !== null && text(found) === root;
    told.textContent = holds ? told.dataset.holds : told.dataset.fails;
    told.className = holds ? "note good" : "note bad";
    told.hidden = false;
  });
}
