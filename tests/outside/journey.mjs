// A company's way from its first start to a rule of its own, on the pages alone, in Chinese and in
// English: administrator, passkey, first steps, signed decision, alert, case closed by two, rule
// edited, back-tested, approved by another, live, and the same payment judged otherwise.
//
//   node journey.mjs BINARY [LANGUAGE …]
import assert from "node:assert";
import { createHash, createPrivateKey, randomBytes, sign } from "node:crypto";
import { arrive, firstLink, house, looking, send, violations } from "./people.mjs";

const [binary, ...languages] = process.argv.slice(2);
const COMPANY = "acme";
/** What nothing may run, wherever it is written. */
const HOSTILE = "\"><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}";

/** Asks by the button that does `what`, on the page that is open. */
const does = (page, what) => send(page, `main button[name="do"][value="${what}"]`);

/** Another votes for what was asked for, and whoever asked carries it out. */
async function carried(approval, asking, voting, reason = HOSTILE) {
  await voting.goto(approval);
  await voting.fill("#f-reason", reason);
  await does(voting, "approve");
  await voting.locator('.note.good[role="status"]').waitFor();
  await asking.goto(approval);
  await asking.fill("#f-reason", reason);
  await does(asking, "execute");
}

/** A signed call (RFC 9421) over the one connection of its own. */
async function call(home, key, path, event) {
  const body = JSON.stringify(event);
  const headers = {
    "content-type": "application/json",
    "content-digest": `sha-256=:${createHash("sha256").update(body).digest("base64")}:`,
    "idempotency-key": randomBytes(16).toString("hex"),
  };
  const covered = '("@method" "@target-uri" "content-type" "content-digest" "idempotency-key")';
  const terms = `${covered};created=${Math.floor(Date.now() / 1000)};keyid="${key.id}";nonce="${randomBytes(16).toString("hex")}";tag="paywarden"`;
  const base = [
    '"@method": POST', `"@target-uri": ${home.origin}${key.path ?? path}`,
    ...Object.entries(headers).map(([name, value]) => `"${name}": ${value}`),
    `"@signature-params": ${terms}`,
  ].join("\n");
  const signature = sign(null, Buffer.from(base), createPrivateKey(key.pem)).toString("base64");
  const reply = await home.post(path, { ...headers, "signature-input": `sig1=${terms}`, signature: `sig1=:${signature}:` }, body);
  return { status: reply.status, ...JSON.parse(reply.body) };
}

const payment = (id, account, value) => ({
  id, type: "payment.transfer", occurred_at: new Date().toISOString(), amount: { value, currency: "USD" },
  payer: { id: `customer-${account}`, account }, payee: { id: `payee-${account}`, account: `payee-account-${account}` },
});

async function journey(language) {
  const home = await house(binary, ["serve"], COMPANY, `first_company=${COMPANY}`, "deadline_ms=5000");
  const { origin } = home;
  const done = (what) => console.log(`ok ${language}: ${what}`);
  const forms = new Map();
  const flaws = [];
  try {
    const sit = async () => {
      const person = await home.sit();
      await looking(person.context, origin, "light", language);
      return person;
    };
    /** Someone invited at the machine. */
    const staffed = async (name, login, ...roles) => {
      const person = await sit();
      await arrive(person.page, home.invite(name, login, ...roles));
      return person;
    };
    /** Looks at a page as it is in both themes, and remembers its forms. */
    const looked = async ({ page, context }) => {
      const own = await page.$$eval("form[method=post]", (all) => all.map((form) => new URL(form.getAttribute("action"), location.href).pathname));
      own.forEach((action) => forms.set(action, context));
      const flawed = async (theme) => flaws.push(...(await violations(page)).map((one) => `${page.url()} ${theme} ${one}`));
      await flawed("light");
      await looking(context, origin, "dark", language);
      await page.reload();
      await flawed("dark");
      await looking(context, origin, "light", language);
      await page.reload();
      assert.equal(await page.locator("main img, main script").count(), 0, "text is text");
    };

    const first = await firstLink(home);
    const admin = await sit();
    await arrive(admin.page, first, "zhang@acme.example");
    await looked(admin);
    done("the first administrator comes in by a one-time link and a passkey");

    await admin.page.goto(`${origin}/start`);
    await looked(admin);
    const links = {};
    for (const role of ["key_custodian", "security_administrator"]) {
      await admin.page.goto(`${origin}/start`);
      const form = `form:has(input[name="role"][value="${role}"])`;
      await admin.page.locator(`details:has(${form}) summary`).click();
      await admin.page.fill(`${form} input[name$="_name"]`, HOSTILE.slice(0, 60));
      await admin.page.fill(`${form} input[name$="_login"]`, `${role.slice(0, 3)}@acme.example`);
      await send(admin.page, `${form} button`);
      links[role] = (await admin.page.textContent("main pre")).trim();
    }
    const [custodian, security] = [await sit(), await sit()];
    await arrive(custodian.page, links.key_custodian);
    await arrive(security.page, links.security_administrator);

    const keys = custodian.page;
    await keys.goto(`${origin}/start`);
    await keys.locator("[data-make]").click();
    await keys.waitForFunction(() => document.querySelector("#f-private").value.includes("PRIVATE KEY"));
    const pem = await keys.inputValue("#f-private");
    await keys.fill("#f-description", HOSTILE);
    await keys.fill("#f-reason", HOSTILE);
    await does(keys, "key");
    assert.match(keys.url(), /approvals\/apr_/);
    await looked(custodian);
    await carried(keys.url(), keys, security.page);
    await keys.goto(`${origin}/start`);
    const id = (await keys.locator("main .steps a.id").first().textContent()).trim();
    await keys.locator("[data-wait]").waitFor();
    await looked(custodian);

    // A call whose signature covers another address is taken apart, then the right one arrives.
    const wrong = await call(home, { id, pem, path: "/v1/other" }, "/v1/decisions", payment("wrong-1", "a-1", "10.00"));
    assert.equal(wrong.code, "signature_invalid");
    await keys.getByText(`"@target-uri": ${origin}/v1/decisions`).waitFor();
    const key = { id, pem };
    const decided = await call(home, key, "/v1/decisions", payment("first-1", "a-1", "10.00"));
    assert.equal(decided.status, 200, JSON.stringify(decided));
    await keys.getByText(decided.id).waitFor();
    await looked(custodian);
    done("a key is made in the browser, and the page turns to the first signed decision");

    const senior = await staffed("Wang Fang", "wang@acme.example", "senior_analyst");
    const officer = await staffed("Liu Wei", "liu@acme.example", "aml_officer");
    const desk = senior.page;
    await desk.goto(`${origin}/lists`);
    await looked(senior);
    await desk.fill("#f-list", "denied_accounts");
    await desk.fill("#f-value", "a-2");
    await desk.fill("#f-reason", HOSTILE);
    await does(desk, "add");
    if (!await desk.locator('main button[value="execute"]').count()) throw new Error("the list waits for a vote");
    await desk.fill("#f-reason", HOSTILE);
    await does(desk, "execute");
    const stopped = await call(home, key, "/v1/decisions", payment("stopped-1", "a-2", "900.00"));
    assert.equal(stopped.outcome, "decline", JSON.stringify(stopped));
    const alert = await home.until("the alert", async () => {
      await desk.goto(`${origin}/payment-alerts`);
      const link = desk.locator('tbody a[href^="/payment-alerts/"]').first();
      return await link.count() ? link.getAttribute("href") : null;
    });
    await looked(senior);
    await desk.locator("tbody input[type=checkbox]").first().check();
    await desk.locator("details:has(#f-title) summary").click();
    await desk.fill("#f-title", HOSTILE);
    await does(desk, "case");
    await desk.waitForURL(/\/cases\//);
    const opened = desk.url();
    for (let left = 8; left > 0; left -= 1) {
      const check = desk.locator('form:has(input[name="is_done"][value="1"]) button').first();
      if (!await check.count()) break;
      await check.click();
      await desk.waitForLoadState();
    }
    await looked(senior);
    await desk.fill("#f-close_reason", HOSTILE);
    await does(desk, "close");
    assert.match(desk.url(), /approvals\/apr_/);
    const closing = desk.url();
    assert.equal(await desk.locator('main button[value="approve"]').count(), 0, "not by whoever asked");
    await carried(closing, desk, officer.page);
    await desk.goto(opened);
    assert.equal(await desk.locator('main button[value="reopen"]').count(), 1, "it is closed");
    assert.ok(alert.startsWith("/payment-alerts/"));
    done("an alert becomes a case, and two close it");

    const author = await staffed("Zhao Min", "zhao@acme.example", "rule_author");
    const approver = await staffed("Sun Lei", "sun@acme.example", "rule_approver");
    const before = await call(home, key, "/v1/decisions", payment("same-1", "a-3", "777.00"));
    const studio = author.page;
    await studio.goto(`${origin}/studio?from=live&pack=lists&new=1`);
    await looked(author);
    await studio.fill("#f-id", "odd_amount");
    await studio.fill("#f-title", HOSTILE);
    // A slip first: the field is named, and the one that was meant is offered.
    await studio.fill("#f-when", 'event.type == "payment.transfer" && payment.amout_base == money("777.00", "USD")');
    await studio.locator("[data-problems] mark").waitFor();
    assert.match(await studio.textContent("[data-problems]"), /payment\.amount_base/);
    await studio.locator("[data-behind] mark.bad").waitFor();
    await studio.fill("#f-when", "");
    await studio.locator("#f-when").pressSequentially("event.ty");
    await studio.locator("#completions [aria-selected=true]").waitFor();
    await studio.keyboard.press("Tab");
    assert.equal(await studio.inputValue("#f-when"), "event.type");
    await studio.fill("#f-when", 'event.type == "payment.transfer" && payment.amount_base == money("777.00", "USD")');
    await studio.selectOption("#f-stage", "live");
    await studio.selectOption("#f-action", "decline");
    await studio.fill("#f-score", "900");
    await studio.fill("#f-reason_code", "odd_amount");
    await studio.fill("#f-reason_text", HOSTILE);
    await studio.fill("#f-source", HOSTILE);
    await studio.fill("#f-examples", [
      "- hit: true", "  name: odd", "  given:", "    event.type: payment.transfer", "    payment.amount_base: 777.00 USD",
      "- hit: false", "  name: even", "  given:", "    event.type: payment.transfer", "    payment.amount_base: 776.00 USD",
    ].join("\n"));
    await home.until("its examples and effect", async () =>
      (await studio.locator("[data-examples] .badge.good").count()) === 2 &&
      (await studio.textContent('[data-effect="fired"]')) === "1");
    await studio.fill("#f-reason", HOSTILE);
    await does(studio, "save");
    await studio.waitForURL(/\/rules\//);
    const version = studio.url();
    await looked(author);
    assert.match(await studio.textContent("main"), /odd_amount/);
    await does(studio, "back_test").catch(() => {});
    await studio.fill("#f-try_reason", HOSTILE);
    await does(studio, "back_test");
    await studio.waitForURL(/\/backtests\//);
    await studio.locator("svg.matrix").first().waitFor();
    await looked(author);
    await studio.goto(version);
    await studio.fill("#f-shadow_reason", HOSTILE, { force: true }).catch(() => {});
    if (!await studio.locator("details:has(#f-reason)[open]").count()) await studio.locator("details:has(#f-reason) > summary").click();
    await studio.fill("#f-reason", HOSTILE);
    await does(studio, "release");
    assert.match(studio.url(), /approvals\/apr_/);
    assert.equal(await studio.locator('main button[value="approve"]').count(), 0, "not by whoever wrote it");
    await carried(studio.url(), studio, approver.page);
    await home.until("the version to be live", async () => {
      await studio.goto(version);
      return studio.locator('main button[value="roll_back"]').count();
    });
    await looked(author);
    const after = await call(home, key, "/v1/decisions", payment("same-2", "a-3", "777.00"));
    assert.notEqual(before.outcome, "decline");
    assert.equal(after.outcome, "decline", JSON.stringify(after));
    done("a rule is written, tried, approved by another and live: the same payment is declined");

    await officer.page.goto(`${origin}/decisions/${before.id}?version=live`);
    assert.match(await officer.page.textContent("[data-what-if]"), /odd_amount/);
    await looked(officer);
    done("the first of the two is asked again: what if this version had decided");

    for (const [action, context] of forms) {
      const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
      for (const headers of [{ cookie, origin }, { cookie, origin: "https://evil.example" }, { cookie }]) {
        assert.equal((await home.post(action, headers, "do=save&reason=x")).status, 403, `${action} ${headers.origin}`);
      }
    }
    assert.ok(forms.size >= 8, [...forms.keys()].join());
    assert.deepEqual(flaws, []);
    assert.deepEqual(home.faults, []);
    done("every form is refused without its token or from elsewhere, and no policy was broken");
  } finally {
    await home.close();
  }
}

for (const language of languages.length ? languages : ["zh", "en"]) await journey(language);
