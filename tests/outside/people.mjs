// People in Debian's Chromium before one private server: what the tests of the console share.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** An office that never closes: at night whoever reads much has to prove a factor again. */
export const OPEN = ["office_from_hour=0", "office_to_hour=24", "office_weekdays=[1,2,3,4,5,6,7]"].flatMap((one) => ["--set", one]);

/** Waits for something, or says what the server has said meanwhile. */
async function until(what, holds, said, seconds = 120) {
  for (let tries = 0; tries < seconds * 10; tries += 1) {
    const found = await holds();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come:\n${said()}`);
}

/** The link by which the first administrator comes in. */
export const firstLink = (home) => home.until("the first link", () => home.said().match(/https:\/\/localhost\S+invitation#\S+/)?.[0]);

const freePort = () => new Promise((resolve) => {
  const probe = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

/** A server of its own with an empty folder, and the browser in front of it. */
export async function house(binary, begun, company, ...settings) {
  const folder = mkdtempSync(join(tmpdir(), "paywarden-console-"));
  const data = join(folder, "data");
  const [port, devtools] = [await freePort(), await freePort()];
  const origin = `https://localhost:${port}`;
  // What is decided does not hang on how busy the machine is.
  const always = [`listen=127.0.0.1:${port}`, "deadline_ms=60000"];
  const flags = ["--data-dir", data, ...OPEN, ...[...always, ...settings].flatMap((one) => ["--set", one])];
  let server, said = "";
  // The demonstration takes a port of its own unless it is told one.
  const listen = begun[0] === "demo" ? ["--listen", `127.0.0.1:${port}`] : [];
  const start = (given, ...listen) => {
    server = spawn(binary, [...given, ...listen, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => { said += text; });
  };
  const command = (...given) => execFileSync(binary, [...given, ...flags], { encoding: "utf8" });
  /** Ends the server by a signal. */
  const stop = async (signal) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await new Promise((resolve) => server.once("exit", resolve));
  };
  start(begun, ...listen);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb", `--remote-debugging-port=${devtools}`, "--ignore-certificate-errors"],
  });
  // What no page may do: its policy kept it from something, a script failed, a script in a text ran.
  const faults = [];

  /** A person's browser, with an authenticator that says yes. */
  async function sit(options = {}) {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true, bypassCSP: false, viewport: { width: 1360, height: 860 }, locale: "en-GB", ...options,
    });
    const page = await context.newPage();
    // A machine that is busy with something else is no fault of ours.
    page.setDefaultTimeout(120_000);
    page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
    page.on("dialog", async (dialog) => {
      if (dialog.type() !== "beforeunload") faults.push(`${page.url()}: ${dialog.message()}`);
      await dialog.accept();
    });
    page.on("console", (message) => {
      // Chromium reports each reply of a refused form as an error; those are asked for.
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

  return {
    data, folder, origin, port, devtools, faults, sit, said: () => said,
    until: (what, holds) => until(what, holds, () => said),
    /** A one-time link for somebody, made at the machine. */
    invite(name, login, ...roles) {
      const given = roles.flatMap((role) => ["--role", role]);
      return command("staff", "invite", "--tenant", company, "--name", name, "--login", login, ...given).match(/https:\S+/)[0];
    },
    /** A signed call of a program: the reply. The key is made at the machine for these scopes. */
    program(scopes) {
      const file = join(folder, `${scopes}.key`);
      const id = command("keys", "create", "--tenant", company, "--algorithm", "ed25519", "--out", file, "--scopes", scopes).split(/\s/)[0];
      return (path, body) => JSON.parse(execFileSync(binary, [
        "sign", "--key", file, "--key-id", id, "--",
        "curl", "-s", "--cacert", join(data, "tls", "ca.pem"), `${origin}${path}`, "-d", JSON.stringify(body),
      ], { encoding: "utf8" }));
    },
    /** Ends it, and starts it again with the same folder and at the same port. */
    async restart(signal) {
      await stop(signal);
      start(["serve"]);
    },
    async close() {
      await browser.close();
      await stop("SIGTERM");
      if (existsSync(folder)) rmSync(folder, { recursive: true });
    },
    /** A form sent by something that is no browser of ours: the status of the answer. */
    post(path, headers, body) {
      const ca = readFileSync(join(data, "tls", "ca.pem"));
      return new Promise((resolve, reject) => {
        const request = https.request(origin + path, {
          method: "POST", ca, servername: "localhost", host: "127.0.0.1", port,
          headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        }, (reply) => {
          const chunks = [];
          reply.on("data", (chunk) => chunks.push(chunk));
          reply.on("end", () => resolve({ status: reply.statusCode, body: Buffer.concat(chunks).toString() }));
        });
        request.on("error", reject);
        request.end(body);
      });
    },
  };
}

/** Presses what leads to another page, and proves a passkey where one is asked for between. */
async function lead(page, button) {
  await Promise.all([page.waitForNavigation(), button.click()]);
  const again = page.locator('form[data-passkey="get"][data-field="_answer"] button');
  if (await again.count()) await Promise.all([page.waitForNavigation(), again.click()]);
}

/** Sends a form by the button that a selector finds. */
export const send = (page, selector) => lead(page, page.locator(selector).first());

/** Sends a form by the button of this name. */
export const press = (page, name) => lead(page, button(page, name));

/** The button of this name. */
export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Follows a one-time link up to a passkey, in any language. */
export async function arrive(page, link, login) {
  await page.goto(link);
  if (new URL(page.url()).hash) throw new Error("the secret stays in the address");
  if (login) await page.fill("#f-login", login);
  await page.locator('form[action="/invitation"] button').click();
  await page.waitForURL("**/account");
  await page.locator('form:has(input[value="begin_passkey"]) button').click();
  const create = page.locator('form[data-passkey="create"] button');
  await create.waitFor();
  // The script that asks the authenticator has run by then.
  await page.waitForLoadState();
  await create.click();
  await page.locator('.note.good[role="status"]').waitFor();
}

/** The address of the first row of a page, if it has one. */
export async function firstRow(page) {
  // What a chart tells as a table leads elsewhere.
  const link = page.locator("tbody tr td a:not(.found a)").first();
  return await link.count() ? link.getAttribute("href") : null;
}

/** Rows of tables that are not one line of 28 to 32 pixels high on a page 1,440 wide. Folded ones are
 *  none, and steps of a sum say below each what it is made of. */
export async function highRows(page) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 1440, height: 900 });
  const found = await page.$$eval("main tbody tr:not(:has(> td > div.muted))", (rows) => rows
    .map((row) => [row.getBoundingClientRect().height, row.innerText.replace(/\s+/g, " ").slice(0, 80)])
    .filter(([height]) => height > 0 && (height < 28 || height > 32))
    .map(([height, text]) => `row of ${height} pixels: ${text}`));
  await page.setViewportSize(before);
  return found;
}

/** Runs a part of a test, and says that it holds. */
export async function test(name, run) {
  await run();
  console.log(`ok ${name}`);
}

/** In which language and theme somebody looks. */
export async function looking(context, origin, theme, language) {
  await context.addCookies([{ name: "__Host-paywarden-look", value: `${language}.${theme}.on`, url: origin, secure: true }]);
}

/** What axe-core finds on the page as it is. It is run in a world of its own, beside the policy. */
export async function violations(page) {
  const devtools = await page.context().newCDPSession(page);
  const { frameTree } = await devtools.send("Page.getFrameTree");
  const world = await devtools.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id, worldName: "axe", grantUniveralAccess: true,
  });
  const options = { contextId: world.executionContextId, awaitPromise: true, returnByValue: true };
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
