// What people look at all day, in Debian's Chromium over the real binary with simulated traffic:
// numbers that lead to their rows, decisions as they come over restarts, entities and their links,
// webhooks with their secret shown once, values of a person shown for a minute.
//
//   node desk.mjs BINARY [--shots FOLDER]
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { arrive, button, firstLink, firstRow, house, looking, press, test, violations } from "./people.mjs";

const [binary, flag, shots] = process.argv.slice(2);
const COMPANY = "demo";
const THEMES = ["light", "dark"];
const LANGUAGES = ["en", "zh"];
const home = await house(binary, ["demo", "--events", "600", "--rate", "150"], COMPANY);
const { origin, faults, sit, invite, until } = home;

/** Holds a page to axe-core in both languages and themes, and keeps a picture of each. */
async function hold({ page, context }, path, name) {
  const found = [];
  for (const theme of THEMES) {
    for (const language of LANGUAGES) {
      await looking(context, origin, theme, language);
      const reply = await page.goto(origin + path);
      assert.equal(reply.status(), 200, `${path}: ${await page.textContent("main")}`);
      found.push(...(await violations(page)).map((one) => `${path} ${theme} ${language} ${one}`));
      if (flag === "--shots") await page.screenshot({ path: join(shots, `${name}-${theme}-${language}.png`), fullPage: true });
    }
  }
  await looking(context, origin, "light", "en");
  assert.deepEqual(found, []);
}

/** Payments of somebody who calls the API, by the key of the demonstration. */
async function decide(name, count) {
  const key = join(home.data, "keys", readdirSync(join(home.data, "keys")).find((one) => one.endsWith(".pem")));
  const one = (place) => {
    const event = {
      id: `${name}-${place}`, type: "payment.card", occurred_at: new Date().toISOString(),
      amount: { value: "12.34", currency: "USD" }, card: { number: "4012888888881881" },
    };
    const target = `https://127.0.0.1:${home.port}/v1/decisions`;
    return execFileSync(binary, [
      "sign", "--key", key, "--", "curl", "-s", "--cacert", join(home.data, "tls", "ca.pem"), target, "-d", JSON.stringify(event),
    ], { encoding: "utf8" });
  };
  await until("the server", async () => { try { return one(0).includes("outcome"); } catch { return false; } });
  for (let place = 1; place < count; place += 1) assert.ok(one(place).includes("outcome"));
}

if (flag === "--shots") mkdirSync(shots, { recursive: true });
try {
  const link = await firstLink(home);
  const administrator = await sit();
  await arrive(administrator.page, link, "zhang@demo.example");
  const officer = await sit();
  await arrive(officer.page, invite("Liu Wei", "liu@demo.example", "aml_officer", "auditor"));
  const voter = await sit();
  await arrive(voter.page, invite("Wang Fang", "wang@demo.example", "senior_analyst", "rule_approver"));

  await test("every number of the overview leads to its rows", async () => {
    const { page } = officer;
    await until("traffic", async () => {
      await page.goto(origin);
      return Number((await page.locator('[data-live="total"]').textContent()).replace(/,/g, "")) >= 500;
    });
    const figures = await page.$$eval("a.figure", (all) => all.map((one) => one.getAttribute("href")));
    assert.ok(figures.length >= 10, figures.join());
    for (const to of new Set(figures)) assert.equal((await page.goto(origin + to)).status(), 200, to);
    await page.goto(origin);
    const stopped = Number((await page.locator('[data-live="stopped"]').textContent()).replace(/,/g, ""));
    await page.locator("a.figure", { hasText: "Kept from moving" }).first().click();
    await page.waitForURL("**/decisions?*");
    const rows = await page.locator("tbody tr:not(.found tr)").count();
    assert.equal(rows, Math.min(stopped, 50));
    const outcomes = await page.$$eval("tbody tr:not(.found tr) td:nth-child(5)", (cells) => [...new Set(cells.map((cell) => cell.textContent.trim()))]);
    assert.ok(outcomes.every((one) => ["Decline", "Hold", "Review", "Challenge"].includes(one)), outcomes.join());
    await hold(officer, "/", "overview");
    await page.goto(`${origin}/decisions?q=${encodeURIComponent("what is this")}`);
    assert.ok((await page.textContent("main")).includes("terms are outcome"));
    assert.equal(await page.inputValue("#f-q"), "what is this", "it stands where it can be put right");
    await page.goto(`${origin}/decisions?q=outcome:approve`);
    const said = (await page.locator(".found > p").textContent()).match(/([\d,]+) decisions/)[1].replace(/,/g, "");
    const parts = await page.$$eval(".found tbody td.number", (cells) => cells.map((cell) => Number(cell.textContent.replace(/,/g, ""))));
    assert.equal(parts.reduce((sum, count) => sum + count, 0), Number(said), "the table says what the picture shows");
    await hold(officer, `/decisions?q=${encodeURIComponent("outcome:hold,review,challenge,decline score>=100")}`, "decisions");
  });

  await test("a list is kept as a view, and a letter is another one, for one person alone", async () => {
    const { page } = officer;
    await page.goto(`${origin}/decisions?q=outcome%3Aapprove`);
    await page.getByText("Keep this view").first().click();
    await page.fill("#f-name", "<b>Let through</b>");
    await press(page, "Keep this view");
    await page.getByText("The view is kept.").waitFor();
    await page.goto(origin);
    await page.locator("nav.side").getByRole("link", { name: "<b>Let through</b>" }).click();
    await page.waitForURL("**/decisions?q=outcome%3Aapprove");
    await voter.page.goto(origin);
    assert.equal(await voter.page.getByRole("link", { name: "<b>Let through</b>" }).count(), 0);
    await page.goto(`${origin}/views`);
    await page.locator('input[name="key n"]').fill("m");
    await page.locator('input[name="key g"]').fill("w");
    await press(page, "Keep the keys");
    await page.getByText("The keys are kept.").waitFor();
    await page.goto(`${origin}/decisions`);
    await page.keyboard.press("n");
    await page.keyboard.press("m");
    await page.waitForURL("**/decisions?*cursor=*");
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await page.keyboard.press("w");
    await page.keyboard.press("t");
    await page.waitForURL("**/trail");
    await hold(officer, "/views", "views");
    await page.goto(`${origin}/views`);
    await press(page, "As usual again");
    await press(page, "Forget");
    await page.getByText("The view is gone.").waitFor();
    assert.equal(await page.getByText("Let through").count(), 0);
  });

  let entity;
  await test("a decision shows whom its payer is linked to, and an entity all that is known", async () => {
    const { page } = officer;
    await page.goto(`${origin}/decisions?q=outcome:hold,review,challenge,decline`);
    const decision = await firstRow(page);
    await page.goto(origin + decision);
    assert.ok(await page.locator(".web svg .node").count() >= 2);
    assert.equal(await page.locator(".moments circle.here").count(), 1);
    await page.locator(".web .fold summary").click();
    const [ties, rows] = await Promise.all([".web path.tie", ".web tbody tr"].map((all) => page.locator(all).count()));
    assert.ok(ties > 0 && ties <= rows, `the table of ${rows} says what the picture of ${ties} shows`);
    const paid = await page.locator(".web tbody tr", { hasText: "paid" }).count();
    assert.equal(await page.locator(".web path.tie.paid").count(), paid, "money is drawn whole");
    entity = await page.locator(".web a.node").first().getAttribute("href");
    await hold(officer, decision, "decision");
    await page.goto(origin + entity);
    const main = await page.textContent("main");
    assert.ok(main.includes("What the windows hold") && main.includes("exact"), main);
    assert.ok(!/\d{12,}/.test((await page.locator("h1").textContent())), "masked");
    await hold(officer, entity, "entity");
    assert.equal((await page.goto(`${origin}/entities/card/00000000000000aa`)).status(), 404);
  });

  await test("decisions come by themselves, also over a restart, and nothing is missed in silence", async () => {
    const { page } = officer;
    await hold(officer, "/live", "live");
    await page.goto(`${origin}/live`);
    assert.ok((await page.content()).includes('<noscript><meta http-equiv="refresh" content="10'));
    await page.evaluate(() => { window.stays = true; });
    await page.getByText("Connected:").waitFor();
    const first = () => page.locator(".live tbody tr td a.id").first().textContent();
    const before = await first();
    await home.restart("SIGTERM");
    await decide("after-restart", 3);
    await until("decisions after a restart", async () => (await first()) === "after-restart-2");
    assert.notEqual(before, "after-restart-2");
    assert.ok(await page.evaluate(() => window.stays), "the page was not loaded again");
    const ids = await page.$$eval(".live tbody tr td a.id", (all) => all.map((one) => one.textContent));
    assert.equal(new Set(ids).size, ids.length, "none comes twice");
    await button(page, "Pause").click();
    await page.getByText("Paused.").waitFor();
    await decide("meanwhile", 30);
    assert.ok(!(await first()).startsWith("meanwhile"), "it stands");
    await button(page, "Go on").click();
    // Of more than are shown at once it says how many passed by.
    await page.getByText("5 passed by here").waitFor();
    assert.equal(await first(), "meanwhile-29");
    // After a crash nobody is signed in: the page says so, and leads back.
    await home.restart("SIGKILL");
    await page.getByText("Your session has ended.").waitFor({ timeout: 120_000 });
    await page.getByRole("link", { name: "Sign in again" }).click();
    await page.fill("#f-login", "liu@demo.example").catch(() => {});
    assert.ok(page.url().includes("next=%2Flive"), page.url());
  });

  const custodian = await sit();
  await arrive(custodian.page, invite("Qian Yu", "qian@demo.example", "key_custodian"));
  const privacy = await sit();
  await arrive(privacy.page, invite("Zhao Min", "zhao@demo.example", "privacy_officer"));
  const again = await sit();
  await arrive(again.page, invite("Liu Yang", "yang@demo.example", "aml_officer", "senior_analyst"));

  /** What somebody asks for on a page, another votes for, and the first carries out. */
  async function carried(asking) {
    await asking.getByText("Asked for. Others vote now.").waitFor();
    const here = asking.url();
    await privacy.page.goto(here);
    await privacy.page.fill("#f-reason", "agreed");
    await press(privacy.page, "Approve it");
    await privacy.page.getByText("Your vote counts.").waitFor();
    await asking.goto(here);
    await asking.fill("#f-reason", "as agreed");
    await press(asking, "Carry it out");
    return here;
  }

  await test("a webhook comes by approval, its secret is shown once, and what was sent can be sent again", async () => {
    const { page } = custodian;
    await page.goto(`${origin}/webhooks`);
    await page.fill("#f-url", "https://receiver.example/hook");
    await page.fill("#f-events", "label.added case.*");
    await page.fill("#f-reason", "for the desk");
    await press(page, "Ask for approval");
    const approval = await carried(page);
    assert.match(await page.locator("pre.raw").textContent(), /^whsec_/);
    await page.goto(approval);
    assert.ok(!(await page.textContent("main")).includes("whsec_"), "once");
    await page.goto(`${origin}/webhooks`);
    const hook = await firstRow(page);
    await page.goto(origin + hook);
    await page.fill("#f-step_reason", "trying it out");
    await press(page, "Send a message to try it out");
    await page.getByText("It is on its way.").waitFor();
    await until("the delivery", async () => {
      await page.goto(origin + hook);
      return await page.locator("tbody tr").count();
    });
    await hold(custodian, "/webhooks", "webhooks");
    await hold(custodian, hook, "webhook");
  });

  await test("rows leave by approval alone, as CSV that no spreadsheet runs and as JSON lines", async () => {
    const { page } = again;
    await page.goto(`${origin}/decisions`);
    await page.getByRole("link", { name: "Export" }).click();
    await hold(again, "/exports?of=decisions", "export");
    await page.goto(`${origin}/exports?of=decisions`);
    await page.fill("#f-rows", "120");
    await page.fill("#f-reason", "for the auditor");
    await press(page, "Ask for approval");
    await carried(page);
    const file = async (name) => {
      const way = page.getByRole("link", { name, exact: true }).or(page.getByRole("button", { name, exact: true }));
      const [download] = await Promise.all([page.waitForEvent("download"), way.click()]);
      return readFileSync(await download.path(), "utf8").trim().split("\n");
    };
    await page.fill("#f-q", "outcome:challenge,review,hold,decline");
    const kept = await file("CSV");
    assert.ok(kept.slice(1).every((row) => /,(challenge|review|hold|decline),/.test(row)), kept[1]);
    await page.fill("#f-q", "");
    const decisions = await file("CSV");
    assert.equal(kept.length + decisions.length, 122, "two heads, and as many rows as were approved");
    assert.ok(decisions[0].startsWith("id,payment_id,type,"));
    for (const [list, of] of [["payment-alerts", "alerts"], ["cases", "cases"], ["lists", "lists"]]) {
      await page.goto(`${origin}/${list}`);
      await page.getByRole("link", { name: "Export" }).click();
      assert.equal(await page.inputValue("#f-collection"), of);
      await page.fill("#f-reason", "for the auditor");
      await press(page, "Ask for approval");
      await carried(page);
      const [csv, json] = [await file("CSV"), await file("JSON")];
      assert.equal(csv.length, json.filter(Boolean).length + 1, of);
      if (of === "alerts") assert.ok(JSON.parse(json[0]).subject.startsWith("customer:"), json[0]);
    }
    const refused = await page.evaluate(async () => (await fetch("/exports/files/apr_1/decisions.csv")).text());
    assert.equal(refused.trim().split("\n").length, 1, "no rows without an approval");
  });

  await test("values of a person are shown by a grant, for a minute, and as often as it says", async () => {
    const call = home.program("vault:write,vault:search");
    const clear = "+49 30 901820";
    call("/v1/vault/tokenize", { purpose: "settlement", item: { subject: "customer-77", class: "phone", value: clear } });
    const found = call("/v1/vault/search", { purpose: "settlement", by: { subject: "customer-77" } });
    const { subject } = found.records[0];
    const guard = await sit();
    await arrive(guard.page, invite("Sun Lei", "sun@demo.example", "security_administrator"));
    const { page } = privacy;
    await page.goto(`${origin}/subjects`);
    await page.fill("#f-subject", subject);
    await press(page, "Filter");
    await page.waitForURL(`**/subjects/${subject}`);
    assert.ok(!(await page.textContent("main")).includes("901820"), "masked");
    await hold(privacy, `/subjects/${subject}`, "subject");
    await page.goto(`${origin}/subjects/${subject}`);
    await page.getByRole("link", { name: "Ask to see values" }).click();
    assert.equal(await page.inputValue("#f-subject"), subject);
    await page.check('input[name="class"][value="phone"]');
    await page.selectOption("#f-purpose", "subject_request");
    await page.fill("#f-ticket", "REQ-77");
    await page.fill("#f-looks", "2");
    await page.fill("#f-reason", "to answer the person");
    await press(page, "Ask for approval");
    await page.getByText("Asked for. Others vote now.").waitFor();
    const here = page.url();
    assert.equal(await page.getByRole("button", { name: "Approve it" }).count(), 0, "not by whoever asked");
    await again.page.goto(here);
    await again.page.getByText("Your vote would not count: has a conflicting role.").waitFor();
    assert.equal(await again.page.getByRole("button", { name: "Approve it" }).count(), 0, "what would be refused is not offered");
    await guard.page.goto(here);
    assert.ok(!(await guard.page.textContent("main")).includes("901820"));
    await guard.page.fill("#f-reason", "a request is open");
    await press(guard.page, "Approve it");
    await guard.page.getByText("Your vote counts.").waitFor();
    await page.clock.install();
    for (const left of ["1", "0"]) {
      await page.goto(here);
      if (left === "1") {
        await page.fill("#f-reason", "as agreed");
        await press(page, "Carry it out");
        await page.getByText("Carried out.").waitFor();
      }
      await press(page, "Show the values for a minute");
      await page.locator(".revealed code.secret").waitFor();
      const shown = await page.textContent(".revealed");
      assert.ok(shown.includes(clear.replace(/ /g, "")) || shown.includes(clear), shown);
      assert.match(await page.textContent(".watermark"), /staff:stf_\w+ apr_\w+ \d{4}-/);
      assert.deepEqual(await violations(page), []);
      await page.clock.runFor(30_000);
      assert.equal(await page.locator(".revealed code.secret").count(), 1, "half a minute later it stands");
      await page.clock.runFor(32_000);
      assert.equal(await page.locator(".revealed code.secret").count(), 0, "gone after a minute");
      assert.ok(!(await page.content()).includes("901820"), "from the whole page");
    }
    await page.goto(here);
    await press(page, "Show the values for a minute");
    await page.getByText("every look of this grant was taken").waitFor();
    await guard.page.goto(here);
    assert.equal(await guard.page.getByRole("button", { name: "Show the values for a minute" }).count(), 0);
    await page.goto(`${origin}/subjects/${subject}`);
    assert.ok((await page.textContent("main")).includes("reveal.open"), "it is in the timeline");
  });

  await test("what is asked for shows in both languages and themes", async () => {
    await hold(again, "/reveals?subject=sub_1", "reveals");
    await hold(privacy, "/subjects", "subjects");
    await hold(again, "/gallery", "gallery");
    await again.page.goto(`${origin}/account`);
    await again.page.fill("#f-password", "41 teal herons over Utrecht, 7 swans");
    await press(again.page, "Set the password");
    await press(again.page, "Set up an application");
    await again.page.locator("svg.qr").waitFor();
    assert.deepEqual(await violations(again.page), []);
  });

  await test("nothing was kept from a page by its policy, and no script failed", async () => {
    assert.deepEqual(faults.filter((one) => !one.includes("ERR_") && !one.includes("EventSource")), []);
  });
} finally {
  await home.close();
}
