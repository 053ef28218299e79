// The npm package http-message-signatures signs requests and verifies replies.
import assert from "node:assert";
import {
  constants, createHash, createHmac, createPublicKey, randomBytes, sign, timingSafeEqual,
} from "node:crypto";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import signatures from "http-message-signatures";

const { createSigner, createVerifier, httpbis } = signatures;
const setup = JSON.parse(readFileSync(process.argv[2], "utf8"));
const ca = readFileSync(setup.ca);
const FIELDS = ["@method", "@authority", "@path", "content-digest", "content-type", "idempotency-key"];

function overHttp1({ method, url, headers, body }) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, headers, ca, ALPNProtocols: ["http/1.1"] }, (reply) => {
      const chunks = [];
      reply.on("data", (chunk) => chunks.push(chunk));
      reply.on("end", () =>
        resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function overHttp2({ method, url, headers, body }) {
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const session = http2.connect(target.origin, { ca });
    session.on("error", reject);
    const stream = session.request({ ":method": method, ":path": target.pathname, ...headers });
    const chunks = [];
    let received;
    stream.on("response", (all) => (received = all));
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      session.close();
      const plain = Object.entries(received).filter(([name]) => !name.startsWith(":"));
      resolve({
        status: received[":status"],
        headers: Object.fromEntries(plain),
        body: Buffer.concat(chunks),
      });
    });
    stream.end(body);
  });
}

function digest(body) {
  return `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
}

function signer(key) {
  const text = readFileSync(key.file);
  if (key.algorithm === "rsa-pss-sha512") {
    // RFC 9421 section 3.3.1 asks for a salt of 64 bytes; the package takes the longest possible.
    const options = { key: text, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 };
    return { id: key.id, alg: key.algorithm, sign: async (data) => sign("sha512", data, options) };
  }
  const material = key.algorithm === "hmac-sha256" ? Buffer.from(text.toString().trim(), "base64") : text;
  return createSigner(material, key.algorithm, key.id);
}

async function replyVerifiers(send) {
  const reply = await send({ method: "GET", url: `${setup.url}/v1/reply-keys`, headers: {} });
  const { keys } = JSON.parse(reply.body);
  return new Map(
    keys.map((key) => [
      key.keyid,
      { id: key.keyid, algs: ["ed25519"], verify: createVerifier(createPublicKey(key.public_key_pem), "ed25519") },
    ]));
}

async function decide(send, version, key, verifiers) {
  const body = Buffer.from(JSON.stringify({
    id: `node-${randomBytes(8).toString("hex")}`,
    type: "payment.card",
    occurred_at: new Date().toISOString(),
    amount: { value: "12.34", currency: "EUR" },
    payer: { id: "customer-2" },
  }));
  const request = await httpbis.signMessage(
    {
      key: signer(key),
      name: "sig1",
      fields: FIELDS,
      // The order of parameters is the signer's business: keyid before created, tag in between.
      params: ["keyid", "tag", "created", "nonce"],
      paramValues: { nonce: randomBytes(16).toString("hex"), tag: "paywarden" },
    },
    {
      method: "POST",
      url: `${setup.url}/v1/decisions`,
      headers: {
        "content-type": "application/json",
        "content-length": String(body.length),
        "content-digest": digest(body),
        "idempotency-key": `"${randomBytes(8).toString("hex")}"`,
      },
    });
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const reply = await send({ ...request, headers, body });
  assert.equal(reply.status, 200, `${key.algorithm} ${version}: ${reply.body}`);
  assert.equal(reply.headers["content-digest"], digest(reply.body));
  const shared = key.algorithm === "hmac-sha256" && Buffer.from(readFileSync(key.file, "utf8").trim(), "base64");
  const hmac = (data, given) =>
    timingSafeEqual(createHmac("sha256", shared).update(data).digest(), given);
  const verified = await httpbis.verifyMessage(
    {
      keyLookup: async ({ keyid }) => verifiers.get(keyid) ?? { id: keyid, algs: ["hmac-sha256"], verify: hmac },
      requiredParams: ["created", "keyid"],
      requiredFields: ["@status", "content-digest"],
    },
    { status: reply.status, headers: reply.headers },
    { ...request, headers });
  assert.equal(verified, true);
  const replayed = await send({ ...request, headers, body });
  assert.equal(JSON.parse(replayed.body).code, "signature_replayed");
  console.log(`ok node ${key.algorithm} ${version}`);
}

for (const [send, version] of [[overHttp1, "HTTP/1.1"], [overHttp2, "HTTP/2"]]) {
  const verifiers = await replyVerifiers(send);
  for (const key of setup.keys) await decide(send, version, key, verifiers);
}
