// The npm package oidc-provider says who a member of staff is, to a private server of ours.
import assert from "node:assert";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Provider from "oidc-provider";
import { chromium } from "playwright-core";

const binary = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "paywarden-openid-"));
const SECRET = "a secret of two, & more";
// What the provider says of how the person proved who they are.
let methods = ["hwk"];

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** A provider at which everybody is Liu, without being asked. */
async function startProvider(origin) {
  const server = http.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "paywarden", client_secret: SECRET, redirect_uris: [`${origin}/sign-in/corp`],
      grant_types: ["authorization_code"], response_types: ["code"],
      token_endpoint_auth_method: "client_secret_basic",
    }],
    pkce: { required: () => true },
    claims: { openid: ["sub", "amr", "acr"] },
    cookies: { keys: ["of this test"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on("request", async (request, reply) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, reply);
    const login = { accountId: "liu-at-corp", amr: methods };
    await provider.interactionFinished(request, reply, { login }, { mergeWithLastSubmission: false });
  });
  return { issuer, server };
}

function ask(url, { method = "GET", headers = {}, body, ca } = {}) {
  const { request } = url.startsWith("https:") ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, ca }, (reply) => {
      const chunks = [];
      reply.on("data", (chunk) => chunks.push(chunk));
      reply.on("end", () => resolve({
        status: reply.statusCode, headers: reply.headers, text: Buffer.concat(chunks).toString(),
      }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Follows redirects as a browser of its own does, until one leads to us; what it brings back. */
async function browse(address, origin) {
  const jar = new Map();
  for (let hops = 0; hops < 10; hops += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const reply = await ask(address, { headers: { cookie } });
    for (const line of reply.headers["set-cookie"] ?? []) {
      const [name, ...value] = line.split(";")[0].split("=");
      jar.set(name, value.join("="));
    }
    assert(reply.headers.location, `${address}: ${reply.status} ${reply.text}`);
    const next = new URL(reply.headers.location, address);
    if (next.origin === origin) {
      assert.equal(next.pathname, "/sign-in/corp");
      const back = Object.fromEntries(next.searchParams);
      return { state: back.state, code: back.code, iss: back.iss };
    }
    address = next.href;
  }
  throw new Error("too many redirects");
}

/** A page of ours. */
class Page {
  constructor(origin, ca) {
    Object.assign(this, { origin, ca, cookie: "", csrf: "" });
  }

  async send(method, path, input) {
    const body = input && JSON.stringify(input);
    const headers = { origin: this.origin, "sec-fetch-site": "same-origin" };
    if (body) headers["content-type"] = "application/json";
    if (this.cookie) Object.assign(headers, { cookie: this.cookie, "x-csrf-token": this.csrf });
    const reply = await ask(this.origin + path, { method, headers, body, ca: this.ca });
    const json = JSON.parse(reply.text);
    const set = reply.headers["set-cookie"];
    if (set) [this.cookie, this.csrf] = [set[0].split(";")[0], json.csrf_token];
    return { status: reply.status, json };
  }

  /** To the provider and back. */
  async visit(way) {
    const { json } = await this.send("POST", way, { provider: "corp" });
    assert(json.address, JSON.stringify(json));
    return { ceremony: json.ceremony, ...(await browse(json.address, this.origin)) };
  }
}

async function main() {
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  const provider = await startProvider(origin);
  writeFileSync(join(folder, "secret"), SECRET);
  writeFileSync(join(folder, "providers.toml"), `[[provider]]
id = "corp"
title = "Corporate sign-on"
issuer = "${provider.issuer}"
client_id = "paywarden"
secret_file = "secret"
cryptographic_amr = ["hwk"]
`);
  const data = join(folder, "data");
  const settings = [`listen=127.0.0.1:${port}`, `origin=${origin}`,
    `providers_file=${join(folder, "providers.toml")}`];
  const flags = ["--data-dir", data, ...settings.flatMap((setting) => ["--set", setting])];
  const said = execFileSync(binary, ["staff", "invite", "--tenant", "acme", "--name", "Liu Wei",
    "--login", "liu@example.com", "--role", "analyst", ...flags], { encoding: "utf8" });
  const token = said.match(/#(\S+)/)[1];
  const serve = spawn(binary, ["serve", ...flags], { stdio: ["ignore", "ignore", "inherit"] });
  try {
    const ca = await ready(join(data, "tls", "ca.pem"), origin);
    await walk(() => new Page(origin, ca), token);
    await look(origin);
  } finally {
    const gone = serve.exitCode ?? once(serve, "exit");
    serve.kill();
    await gone;
    provider.server.close();
    provider.server.closeAllConnections();
  }
}

/** The button of the sign-in page, in a browser: with a key of hardware, and with a password. */
async function look(origin) {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    for (const [method, arrives] of [["hwk", "/account"], ["pwd", "/sign-in/corp"]]) {
      methods = [method];
      const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB" });
      const page = await context.newPage();
      await page.goto(`${origin}/sign-in?next=%2Faccount`);
      await page.getByRole("button", { name: "Continue with Corporate sign-on" }).click();
      await page.waitForURL((url) => url.origin === origin && url.pathname === arrives && !url.search, { timeout: 60_000 });
      const main = await page.textContent("main");
      assert(method === "hwk" ? main.includes("Sessions") : !main.includes("Sessions"), main);
      const kept = (await context.cookies()).map((cookie) => cookie.name);
      assert(!kept.includes("__Host-paywarden-sign-on"), kept.join());
      await context.close();
    }
    // A way back that this browser has not begun leads nowhere.
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB" })).newPage();
    await page.goto(`${origin}/sign-in/corp?code=stolen&state=x`);
    await page.getByText("this browser has begun no way to a provider").waitFor();
  } finally {
    await browser.close();
  }
  console.log("ok the sign-in page leads to the provider and back");
}

async function ready(ca, origin) {
  for (let tries = 0; tries < 200; tries += 1) {
    try {
      const pem = readFileSync(ca);
      if ((await ask(`${origin}/readyz`, { ca: pem })).status === 200) return pem;
    } catch { /* not yet */ }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the server did not start");
}

async function walk(page, token) {
  const invited = page();
  await invited.send("POST", "/v1/session/invitation", { token });
  const back = await invited.visit("/v1/session/factors/identity-challenge");
  assert(back.iss, "RFC 9207");
  const bound = await invited.send("POST", "/v1/session/factors/identities", back);
  assert.equal(bound.json.factor, "provider", JSON.stringify(bound.json));
  console.log("ok an identity is bound and sets the account up");

  const again = page();
  const answer = await again.visit("/v1/session/sign-on-challenge");
  const entered = await again.send("POST", "/v1/session/sign-on", answer);
  assert.equal(entered.json.factor, "provider", JSON.stringify(entered.json));
  assert(entered.json.scopes.includes("decisions:read") && entered.json.is_fresh);
  console.log("ok a provider with a key of hardware opens a session");

  const thief = page();
  const replayed = await thief.send("POST", "/v1/session/sign-on", answer);
  assert.equal(replayed.json.code, "ceremony_unknown");
  const own = await thief.visit("/v1/session/sign-on-challenge");
  const used = await thief.send("POST", "/v1/session/sign-on", { ...own, code: answer.code });
  assert.equal(used.json.code, "provider_refused");
  const mixed = await thief.visit("/v1/session/sign-on-challenge");
  const other = { ...mixed, iss: "https://login.example.com" };
  assert.equal((await thief.send("POST", "/v1/session/sign-on", other)).json.code, "provider_refused");
  console.log("ok replayed and mixed up answers are refused");

  methods = ["pwd"];
  const weak = page();
  const word = await weak.visit("/v1/session/sign-on-challenge");
  const half = await weak.send("POST", "/v1/session/sign-on", word);
  assert.deepEqual([half.json.factor, half.json.scopes], ["provider_alone", []]);
  assert.equal((await weak.send("GET", "/v1/roles")).json.code, "factors_incomplete");
  const more = await weak.send("POST", "/v1/session/factors/passkey-challenge");
  assert.equal(more.json.code, "factors_incomplete");
  console.log("ok a password at the provider is no factor here");
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true });
}
