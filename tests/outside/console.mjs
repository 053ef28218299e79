// The console in Debian's Chromium, over the real binary with simulated traffic: coming in, every
// page by axe-core in both languages and themes, forms that are not ours, hostile text, proofs.
//
//   node console.mjs BINARY [--shots FOLDER]    with FOLDER: pictures of the main pages for the docs
import assert from "node:assert";
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { OPEN } from "./people.mjs";

const [binary, flag, shots] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "paywarden-console-"));
const data = join(folder, "data");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const COMPANY = "demo";
const THEMES = ["light", "dark"];
const LANGUAGES = ["en", "zh"];

const port = await new Promise((resolve) => {
  const probe = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const origin = `https://localhost:${port}`;
// A small list to screen against.
const list = join(folder, "list.csv");
writeFileSync(list, [
  "id,name,kind,aliases,birth_date,countries,programs",
  "P-1,Viktor Aleksandrovich Brezhin,person,Brezhin Viktor;Виктор Брежин,1961-04-02,RU,TEST-A",
  "P-2,Lin Haoyu,person,林浩宇,1974,CN,TEST-B",
  "O-1,Northern Star Shipping LLC,organisation,,,CY,TEST-A",
].join("\n"));
const lists = join(folder, "lists.toml");
writeFileSync(lists, `[[list]]
company = "${COMPANY}"
name = "test"
kind = "sanctions"
format = "csv"
files = ["${list}"]
every_minutes = 10080
`);
const server = spawn(binary, [
  "demo", "--events", "1500", "--data-dir", data, "--listen", `127.0.0.1:${port}`,
  "--set", `screening_file=${lists}`, ...OPEN,
], { stdio: ["ignore", "pipe", "pipe"] });
let said = "";
server.stdout.on("data", (text) => { said += text; });
server.stderr.on("data", (text) => { said += text; });

async function until(what, holds, seconds = 120) {
  for (let tries = 0; tries < seconds * 10; tries += 1) {
    const found = await holds();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come:\n${said}`);
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
});
// What no page may do: its policy kept it from something, a script failed, a request was refused.
const faults = [];

/** A person's browser, with an authenticator that says yes. */
async function sit(options = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, bypassCSP: false, viewport: { width: 1360, height: 860 },
    locale: "en-GB", ...options,
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // Chromium reports each reply of a refused form as an error; those are asked for below.
    if (message.type() === "error" && !message.text().includes("the server responded with")) {
      faults.push(`${page.url()}: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    if (request.url().endsWith("/csp-reports")) faults.push(`${page.url()}: ${request.postData()}`);
  });
  if (options.javaScriptEnabled !== false) {
    const devtools = await context.newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2", transport: "internal", hasResidentKey: true,
        hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
      },
    });
  }
  return { context, page };
}

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Follows a one-time link up to a passkey. */
async function arrive(page, link, login) {
  await page.goto(link);
  assert.equal(new URL(page.url()).hash, "", "the secret does not stay in the address");
  if (login) await page.fill("#f-login", login);
  await press(page, "Continue");
  await press(page, "Set up a passkey");
  await press(page, "Create the passkey");
  await page.getByText("The passkey is set up.").waitFor();
}

function invite(name, login, ...roles) {
  const text = execFileSync(binary, [
    "staff", "invite", "--tenant", COMPANY, "--name", name, "--login", login,
    ...roles.flatMap((role) => ["--role", role]),
    "--data-dir", data, "--set", `listen=127.0.0.1:${port}`,
  ], { encoding: "utf8" });
  return text.match(/https:\S+/)[0];
}

async function looking(context, theme, language) {
  await context.addCookies([{
    name: "__Host-paywarden-look", value: `${language}.${theme}.on`, url: origin, secure: true,
  }]);
}

/** The address of the first row of a page, if it has one. */
async function firstRow(page) {
  const link = page.locator("tbody tr td a").first();
  return await link.count() ? link.getAttribute("href") : null;
}

/** What axe-core finds on the page as it is. It is run in a world of its own, beside the policy. */
async function violations(page) {
  const devtools = await page.context().newCDPSession(page);
  const { frameTree } = await devtools.send("Page.getFrameTree");
  const world = await devtools.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id, worldName: "axe", grantUniveralAccess: true,
  });
  const options = {
    contextId: world.executionContextId, awaitPromise: true, returnByValue: true,
  };
  await devtools.send("Runtime.evaluate", { expression: axe, ...options, returnByValue: false });
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const expression = `axe.run(document, { runOnly: ${JSON.stringify(rules)} })
    .then(({ violations }) => violations.map(({ id, nodes }) =>
      id + ": " + nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + node.failureSummary).join(" | ")))`;
  const { result, exceptionDetails } = await devtools.send("Runtime.evaluate", { expression, ...options });
  await devtools.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "axe failed");
  return result.value;
}

/** Every page that a person's menu leads to, and the first row of each. */
async function pagesOf(page) {
  await page.goto(origin);
  const menu = await page.$$eval("nav.side a", (links) => links.map((link) => link.getAttribute("href")));
  const found = [...menu, "/account", "/gallery", "/no/such/page"];
  for (const path of menu.filter((path) => path !== "/")) {
    await page.goto(origin + path);
    const row = await firstRow(page);
    if (row?.startsWith(path)) found.push(row);
  }
  return found;
}

/** A form sent by something that is no browser of ours. */
function post(path, headers, body) {
  const ca = readFileSync(join(data, "tls", "ca.pem"));
  return new Promise((resolve, reject) => {
    const request = https.request(origin + path, {
      method: "POST", ca, servername: "localhost", host: "127.0.0.1", port,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    }, (reply) => {
      reply.resume();
      reply.on("end", () => resolve(reply.statusCode));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** The code of a secret now (RFC 6238). */
function code(secret, later = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/ /g, "")].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + later));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1e6).padStart(6, "0");
}

async function test(name, run) {
  await run();
  console.log(`ok ${name}`);
}

try {
  const link = await until("the first link", () => said.match(/https:\/\/localhost\S+invitation#\S+/)?.[0]);

  const administrator = await sit();
  await test("the first link sets up a passkey, once", async () => {
    const { page } = administrator;
    await arrive(page, link, "zhang@demo.example");
    await page.goto(origin);
    assert.equal(await page.locator("h1").textContent(), "Overview");
    assert.equal(await page.locator('nav.side a[href="/decisions"]').count(), 0, "no data of customers");
    assert.equal((await page.goto(`${origin}/decisions`)).status(), 403);
    const other = await sit();
    await other.page.goto(link);
    await other.page.fill("#f-login", "mallory@demo.example");
    await press(other.page, "Continue");
    await other.page.getByText("the invitation is used").waitFor();
  });

  await test("a passkey signs in, and leads to where one was going", async () => {
    const { page } = administrator;
    await page.locator("details.person summary").click();
    await press(page, "Sign out");
    await page.goto(`${origin}/account`);
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await page.fill("#f-login", "zhang@demo.example");
    await press(page, "Continue with a passkey");
    await page.waitForURL(`${origin}/account`);
  });

  await test("password and code sign in without script", async () => {
    const { page } = await sit({ javaScriptEnabled: false });
    const invited = new URL(invite("Chen Jie", "chen@demo.example", "analyst"));
    await page.goto(`${origin}/invitation`);
    await page.fill("#f-token", invited.hash.slice(1));
    await press(page, "Continue");
    const password = "Zmeu-93-korvin-blik!";
    await page.fill("#f-password", password);
    await press(page, "Set the password");
    await press(page, "Set up an application");
    const secret = await page.locator(".secret code").textContent();
    await page.fill("#f-code", code(secret));
    await press(page, "Confirm");
    assert.equal(await page.locator(".codes li").count(), 10);
    await page.goto(origin);
    await page.locator("details.person summary").click();
    await press(page, "Sign out");
    await page.locator("details.fold summary").click();
    await page.fill("#f-password-login", "chen@demo.example");
    await page.fill("#f-password", password);
    // The code of a step is taken once: this is the one of the next.
    await page.fill("#f-code", code(secret, 1));
    await press(page, "Sign in with the password");
    assert.equal(await page.locator("h1").textContent(), "Overview");
    assert.equal(await page.locator('nav.side a[href="/alerts"]').count(), 0);
  });

  const officer = await sit();
  await arrive(officer.page, invite("Liu Wei", "liu@demo.example", "aml_officer", "auditor"));

  await test("the proof of a decision is checked in the browser, and a false one is found", async () => {
    const { page } = officer;
    await page.goto(`${origin}/decisions?outcome=decline`);
    await page.goto(origin + await firstRow(page));
    await press(page, "Check the proof in this browser");
    await page.getByText("It holds:").waitFor();
    await page.reload();
    await page.locator("[data-proof]").evaluate((place) => {
      const proof = JSON.parse(place.dataset.proof);
      const bytes = atob(proof.leaf);
      proof.leaf = btoa(bytes.slice(0, -1) + String.fromCharCode(bytes.charCodeAt(bytes.length - 1) ^ 1));
      place.dataset.proof = JSON.stringify(proof);
    });
    await press(page, "Check the proof in this browser");
    await page.getByText("It does not hold:").waitFor();
  });

  await test("keys walk, open and go", async () => {
    const { page } = officer;
    await page.goto(origin);
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await page.waitForURL(`${origin}/decisions`);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const second = await page.locator("tbody tr").nth(1).locator("a").first().getAttribute("href");
    await page.keyboard.press("Enter");
    await page.waitForURL(origin + second);
    await page.keyboard.press("Escape");
    await page.waitForURL(`${origin}/decisions`);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("appro");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${origin}/approvals`);
    await page.keyboard.press("?");
    assert.ok(await page.locator("#sheet").isVisible());
  });

  const voter = await sit();
  await arrive(voter.page, invite("Wang Fang", "wang@demo.example", "senior_analyst", "rule_approver"));
  const hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}';
  await test("a list changes by the vote of another, and hostile text stays text", async () => {
    const asking = officer.page;
    for (const { page } of [officer, voter]) page.on("dialog", () => faults.push("a script in a text ran"));
    await asking.goto(`${origin}/lists`);
    await asking.fill("#f-list", "trusted_accounts");
    await asking.fill("#f-value", hostile);
    await asking.fill("#f-reason", hostile);
    await press(asking, "Ask to add it");
    await asking.getByText("Asked for. Others vote now.").waitFor();
    const here = asking.url();
    assert.equal(await asking.getByRole("button", { name: "Approve it" }).count(), 0, "not by whoever asked");
    await voter.page.goto(`${origin}/approvals?state=open`);
    assert.ok((await voter.page.textContent("tbody")).includes(hostile));
    await voter.page.goto(origin + await firstRow(voter.page));
    await voter.page.fill("#f-reason", hostile);
    await press(voter.page, "Approve it");
    await voter.page.getByText("Your vote counts.").waitFor();
    await asking.goto(here);
    await asking.fill("#f-reason", "as agreed");
    await press(asking, "Carry it out");
    await asking.getByText("Carried out.").waitFor();
    await asking.goto(`${origin}/lists/trusted_accounts`);
    const cells = await asking.textContent("tbody");
    assert.ok(cells.includes("{{7*7}}"), cells);
    for (const path of ["/trail", "/approvals"]) {
      await asking.goto(origin + path);
      assert.ok((await asking.textContent("tbody")).includes("onerror"), path);
    }
    assert.equal(await asking.locator("main img, main script").count(), 0);
  });

  const privacy = await sit();
  await arrive(privacy.page, invite("Zhao Min", "zhao@demo.example", "privacy_officer", "rule_author"));
  const security = await sit();
  await arrive(security.page, invite("Sun Lei", "sun@demo.example", "security_administrator"));
  const custodian = await sit();
  await arrive(custodian.page, invite("Qian Yu", "qian@demo.example", "key_custodian"));

  const analyst = await sit();
  await arrive(analyst.page, invite("Li Na", "li@demo.example", "analyst"));
  const hostileTitle = "<b onmouseover=alert(3)>ring</b>";

  await test("an alert is taken by one key and closed by two, and the next one follows", async () => {
    const { page } = analyst;
    await until("an alert", async () => {
      await page.goto(`${origin}/payment-alerts`);
      return await firstRow(page);
    });
    await page.keyboard.press("n");
    await page.waitForURL(/payment-alerts\/alr_/);
    const first = page.url();
    assert.ok((await page.textContent("main")).includes("you"), "it is mine");
    assert.match(await page.locator("[data-due]").first().textContent(), /^−?\d+:\d\d$/);
    await page.keyboard.press("e");
    await page.keyboard.press("1");
    await page.waitForURL((url) => url.href !== first);
    await page.goto(first);
    const closed = await page.textContent("main");
    assert.ok(closed.includes("Confirmed") && closed.includes("The customer says that it was not them"), closed);
    await until("the label of its payment", async () => {
      await page.goto(first);
      return (await page.textContent("main")).includes("Labelled fraud");
    });
  });

  await test("a case is opened of picked alerts and closed by two", async () => {
    const { page } = voter;
    await page.goto(`${origin}/payment-alerts`);
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    assert.equal(await page.locator("tbody input:checked").count(), 1);
    await page.getByText("With those picked").click();
    await page.fill("#f-title", hostileTitle);
    await press(page, "Open a case of them");
    await page.getByText("The case is open.").waitFor();
    const here = page.url();
    assert.equal(await page.textContent("h1"), hostileTitle);
    assert.equal(await page.getByRole("button", { name: "Ask for its closing" }).count(), 0, "not before all is checked");
    for (let left = 5; left > 0; left -= 1) {
      const check = page.getByRole("button", { name: /^Done: / }).first();
      if (!await check.count()) break;
      await check.click();
      await page.getByText("Done.", { exact: true }).waitFor();
    }
    await page.getByText("Write a note").first().click();
    await page.fill("#f-note_text", hostileTitle);
    await press(page, "Keep the note");
    assert.equal(await page.locator(".said").first().textContent(), hostileTitle);
    await page.fill("#f-close_reason", "seen it all");
    await press(page, "Ask for its closing");
    await page.getByText("Asked for. Others vote now.").waitFor();
    const asked = page.url();
    assert.equal(await page.getByRole("button", { name: "Approve it" }).count(), 0, "not by whoever asked");
    await officer.page.goto(asked);
    await officer.page.fill("#f-reason", "agreed");
    await press(officer.page, "Approve it");
    await officer.page.getByText("Your vote counts.").waitFor();
    await page.goto(asked);
    await page.fill("#f-reason", "as agreed");
    await press(page, "Carry it out");
    await page.getByText("Carried out.").waitFor();
    await page.goto(here);
    assert.ok((await page.textContent("main")).includes("Turned out"));
    assert.equal(await page.locator("main img, main script, main b[onmouseover]").count(), 0);
  });

  await test("a name is screened side by side, and stands in no address", async () => {
    const { page } = officer;
    await until("the list", async () => {
      await page.goto(`${origin}/screening`);
      return await page.locator('main a[href="/screening/test"]').count();
    });
    await page.fill("#f-name", "Victor Brezhin");
    await press(page, "Screen it");
    await page.getByText("Viktor Aleksandrovich Brezhin").waitFor();
    assert.equal(page.url(), `${origin}/screening`);
    assert.deepEqual((await violations(page)), []);
  });

  const people = [administrator, officer, privacy, security, custodian, analyst];
  const forms = new Set();
  const seen = new Set();
  await test("every page in both languages and themes has no fault that axe-core finds", async () => {
    const planted = officer.page;
    await planted.goto(`${origin}/account`);
    await planted.$eval("main .field input", (input) => input.closest(".field").querySelector("label").remove());
    assert.match((await violations(planted)).join(), /label/, "a planted fault is found");
    const found = [];
    for (const { page, context } of people) {
      for (const path of await pagesOf(page)) {
        // What another has looked at is looked at again where it differs by role alone.
        if (path !== "/" && seen.has(path)) continue;
        seen.add(path);
        for (const theme of THEMES) {
          for (const language of LANGUAGES) {
            await looking(context, theme, language);
            const reply = await page.goto(origin + path);
            const expected = path === "/no/such/page" ? 404 : 200;
            assert.equal(reply.status(), expected, `${path}: ${await page.textContent("main")}`);
            found.push(...(await violations(page)).map((one) => `${path} ${theme} ${language} ${one}`));
          }
        }
        const own = await page.$$eval("form[method=post]", (all) => all.map((form) => new URL(form.action).pathname));
        own.forEach((action) => forms.add(action));
      }
      await looking(context, "light", "en");
    }
    assert.deepEqual(found, []);
  });

  await test("forms without the token or from elsewhere are refused", async () => {
    const { context } = officer;
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    assert.ok(forms.size >= 8, [...forms].join());
    for (const action of forms) {
      assert.equal(await post(action, { cookie, origin }, "reason=x"), 403, `${action} without token`);
      const foreign = { cookie, origin: "https://evil.example" };
      assert.equal(await post(action, foreign, "reason=x"), 403, `${action} from elsewhere`);
      assert.equal(await post(action, { cookie }, "reason=x"), 403, `${action} from nowhere`);
    }
    await officer.page.goto(`${origin}/account`);
    assert.equal(new URL(officer.page.url()).pathname, "/account", "the session goes on");
  });

  await test("nothing was kept from a page by its policy, and no script failed", async () => {
    assert.deepEqual(faults, []);
  });

  if (flag === "--shots") {
    mkdirSync(shots, { recursive: true });
    const { page, context } = officer;
    await page.goto(`${origin}/decisions?outcome=decline`);
    const decision = await firstRow(page);
    for (const [name, path, theme, language] of [
      ["overview", "/", "light", "en"], ["decision", decision, "dark", "zh"],
    ]) {
      await looking(context, theme, language);
      await page.goto(origin + path);
      await page.screenshot({ path: join(shots, `${name}.png`) });
    }
  }
} finally {
  await browser.close();
  if (server.exitCode === null) {
    server.kill("SIGTERM");
    await new Promise((resolve) => server.once("exit", resolve));
  }
  if (existsSync(folder)) rmSync(folder, { recursive: true });
}
