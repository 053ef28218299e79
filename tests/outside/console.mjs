// The console in Debian's Chromium, over the real binary with simulated traffic: coming in, every
// page by axe-core in both languages and themes, forms that are not ours, hostile text, proofs.
//
//   node console.mjs BINARY [--shots FOLDER]    with FOLDER: pictures of the main pages for the docs
import assert from "node:assert";
import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arrive, button, firstLink, firstRow, highRows, house, looking, press, test, violations } from "./people.mjs";

const [binary, flag, shots] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "paywarden-lists-"));
const COMPANY = "demo";
const THEMES = ["light", "dark"];
const LANGUAGES = ["en", "zh"];

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
const home = await house(binary, ["demo", "--events", shots ? "8000" : "1500"], COMPANY, `screening_file=${lists}`);
const { origin, faults, sit, invite, until } = home;

/** Every page that a person's menu leads to, and the first row of each. */
async function pagesOf(page) {
  await page.goto(origin);
  const menu = await page.$$eval("nav.side a", (links) => links.map((link) => link.getAttribute("href")));
  const beside = ["/library/coverage", "/prevention?by=scenario"].filter((path) => menu.includes(`/${path.split(/[/?]/)[1]}`));
  const found = [...menu, ...beside, "/account", "/gallery", "/no/such/page"];
  for (const path of menu.filter((path) => path !== "/")) {
    await page.goto(origin + path);
    const row = await firstRow(page);
    if (row?.startsWith(path)) found.push(row);
  }
  return found;
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

try {
  const link = await firstLink(home);

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
    await button(page, "Check the proof in this browser").click();
    await page.getByText("It holds:").waitFor();
    await page.reload();
    await page.locator("[data-proof]").evaluate((place) => {
      const proof = JSON.parse(place.dataset.proof);
      const bytes = atob(proof.leaf);
      proof.leaf = btoa(bytes.slice(0, -1) + String.fromCharCode(bytes.charCodeAt(bytes.length - 1) ^ 1));
      place.dataset.proof = JSON.stringify(proof);
    });
    await button(page, "Check the proof in this browser").click();
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
    const second = await page.locator("tbody tr:not(.found tr)").nth(1).locator("a").first().getAttribute("href");
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
    await asking.goto(`${origin}/lists`);
    await asking.fill("#f-list", "trusted_accounts");
    await asking.fill("#f-value", hostile);
    await asking.fill("#f-until", "tomorrow");
    await asking.fill("#f-reason", hostile);
    await press(asking, "Ask to add it");
    await asking.getByText("time_malformed").waitFor();
    for (const [field, text] of [["list", "trusted_accounts"], ["value", hostile], ["until", "tomorrow"], ["reason", hostile]]) {
      assert.equal(await asking.inputValue(`#f-${field}`), text, "what was refused is there still");
    }
    assert.deepEqual(await violations(asking), []);
    await asking.fill("#f-value", "4012 8888 8888 1881");
    await press(asking, "Ask to add it");
    await asking.locator("#refused").waitFor();
    assert.equal(await asking.inputValue("#f-value"), "", "but no card number");
    await asking.fill("#f-value", hostile);
    await asking.fill("#f-until", "");
    await press(asking, "Ask to add it");
    await asking.getByText("Asked for. Others vote now.").waitFor();
    const here = asking.url();
    assert.equal(await asking.getByRole("button", { name: "Approve it" }).count(), 0, "not by whoever asked");
    await voter.page.goto(`${origin}/approvals?state=open`);
    const inbox = await voter.page.textContent("tbody");
    assert.ok(inbox.includes(hostile) && inbox.includes("Liu Wei") && !inbox.includes("stf_"), inbox);
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
    // What keeps a payment back, by one letter; nothing happens before the form is sent.
    const keep = page.locator("details:has(> summary[data-keys=h])");
    assert.equal(await keep.getAttribute("open"), null);
    await page.keyboard.press("h");
    assert.notEqual(await keep.getAttribute("open"), null);
    const chosen = keep.locator("select[name=request]");
    assert.deepEqual(await chosen.locator("option").evaluateAll((all) => all.map((one) => one.value)), ["cancel", "request_refund"]);
    await keep.locator("input[name=ask_reason]").fill("it was not them");
    await keep.getByRole("button").click();
    await page.waitForURL(first);
    assert.ok((await page.textContent("main")).includes("Asked not to carry it out"));
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
    await page.selectOption("#f-mentions", { label: "Li Na" });
    await press(page, "Keep the note");
    assert.equal(await page.locator(".said").first().textContent(), hostileTitle);
    assert.ok((await page.locator(".remark").first().textContent()).includes("→ Li Na"));
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

  await test("a customer is rated by a form, and the rating says what it is made of", async () => {
    const { page } = officer;
    await page.goto(`${origin}/customer-ratings`);
    await page.fill("#f-reference", hostile);
    await page.fill("#f-countries", "nowhere");
    await press(page, "Rate");
    await page.getByText("country_unknown").waitFor();
    await page.goto(`${origin}/customer-ratings`);
    await page.fill("#f-reference", hostile);
    await page.selectOption("#f-kind", "nominee_company");
    await page.fill("#f-countries", "KP DE");
    await page.fill("#f-industries", "gambling");
    await page.selectOption("#f-politically_exposed", "true");
    await page.fill("#f-due_diligence", "3");
    await page.fill("#f-since", "2024-05-01T00:00:00Z");
    await press(page, "Rate");
    await page.getByText("Rated.", { exact: true }).waitFor();
    const rated = page.url();
    const main = await page.textContent("main");
    for (const part of ["Company of nominees", "DE, KP", "gambling", "+40"]) assert.ok(main.includes(part), `${part}: ${main}`);
    assert.ok(!main.includes("onerror"), "a pseudonym is kept, not what was typed");
    assert.deepEqual(await violations(page), []);
    await page.goto(`${origin}/customer-ratings?rating=high`);
    assert.equal(origin + await firstRow(page), rated);
  });

  const people = [administrator, officer, privacy, security, custodian, analyst];
  const forms = new Set();
  const seen = new Set();
  await test("rules are called by their titles in the language of whoever looks", async () => {
    const { page, context } = officer;
    for (const [path, rules] of [["/decisions?outcome=decline", ".waterfall .rule"], ["/library/coverage", "td .rule"]]) {
      await page.goto(origin + path);
      const there = path.startsWith("/decisions") ? await firstRow(page) : path;
      for (const [language, isChinese] of [["zh", true], ["en", false]]) {
        await looking(context, origin, "light", language);
        await page.goto(origin + there);
        const said = await page.$$eval(rules, (all) => all.map((one) => [one.firstElementChild.textContent, one.querySelector("code").textContent]));
        assert.ok(said.length > 0, there);
        for (const [title, id] of said) {
          assert.equal(/[\u4e00-\u9fff]/.test(title), isChinese, title);
          assert.match(id, /^[a-z0-9_]+(\.[a-z0-9_]+)+$/);
        }
      }
    }
  });

  await test("a refusal is called by its name in the language of whoever looks", async () => {
    const { page, context } = officer;
    const said = {
      zh: ["参数无效", "`q`：查询条件为 outcome:…", "`from`：须为时间", "不是 ISO 3166-1 两位国家或地区代码", "名称不含文字"],
      en: ["Parameter not valid", "`q`: terms are outcome:…", "`from`: a time such as", "not an ISO 3166-1 alpha-2 code", "name has no letters"],
    };
    for (const [language, [title, terms, from, country, name]] of Object.entries(said)) {
      await looking(context, origin, "light", language);
      for (const [path, why] of [["/decisions?q=nonsense%3A1", terms], ["/prevention?from=soon", from]]) {
        await page.goto(origin + path);
        await page.locator("main b", { hasText: title }).waitFor();
        await page.locator("main p", { hasText: why }).waitFor();
        assert.deepEqual(await violations(page), []);
      }
      for (const [path, fields, why] of [
        ["/customer-ratings", { reference: "c-1", countries: "nowhere" }, country],
        ["/screening", { name: "…" }, name],
      ]) {
        await page.goto(origin + path);
        for (const [field, text] of Object.entries(fields)) await page.fill(`#f-${field}`, text);
        await page.locator(`form:has(#f-${Object.keys(fields)[0]}) button[type=submit]`).first().click();
        await page.locator("#refused p", { hasText: why }).waitFor();
        assert.equal(await page.locator("#refused [lang]").count(), 0, "it is in the language of the page");
      }
    }
  });

  await test("every page in both languages and themes has rows of one line, and no fault that axe-core finds", async () => {
    const planted = officer.page;
    await planted.goto(`${origin}/account`);
    await planted.$eval("main .field input", (input) => input.closest(".field").querySelector("label").remove());
    assert.match((await violations(planted)).join(), /label/, "a planted fault is found");
    await planted.goto(`${origin}/library`);
    await planted.$eval("main tbody td", (cell) => cell.append(document.createElement("br"), "a second line"));
    assert.equal((await highRows(planted)).length, 1, "a planted row of two lines is found");
    const found = [];
    for (const { page, context } of people) {
      for (const path of await pagesOf(page)) {
        // What another has looked at is looked at again where it differs by role alone.
        if (path !== "/" && seen.has(path)) continue;
        seen.add(path);
        for (const theme of THEMES) {
          for (const language of LANGUAGES) {
            await looking(context, origin, theme, language);
            const reply = await page.goto(origin + path);
            const expected = path === "/no/such/page" ? 404 : 200;
            assert.equal(reply.status(), expected, `${path}: ${await page.textContent("main")}`);
            const wrong = [...await violations(page), ...theme === "light" ? await highRows(page) : []];
            found.push(...wrong.map((one) => `${path} ${theme} ${language} ${one}`));
          }
        }
        const own = await page.$$eval("form[method=post]", (all) => all.map((form) => new URL(form.action).pathname));
        own.forEach((action) => forms.add(action));
      }
      await looking(context, origin, "light", "en");
    }
    assert.deepEqual(found, []);
  });

  await test("forms without the token or from elsewhere are refused", async () => {
    const { context } = officer;
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    assert.ok(forms.size >= 8, [...forms].join());
    for (const action of forms) {
      assert.equal((await home.post(action, { cookie, origin }, "reason=x")).status, 403, `${action} without token`);
      const foreign = { cookie, origin: "https://evil.example" };
      assert.equal((await home.post(action, foreign, "reason=x")).status, 403, `${action} from elsewhere`);
      assert.equal((await home.post(action, { cookie }, "reason=x")).status, 403, `${action} from nowhere`);
    }
    await officer.page.goto(`${origin}/account`);
    assert.equal(new URL(officer.page.url()).pathname, "/account", "the session goes on");
  });

  await test("nothing was kept from a page by its policy, and no script failed", async () => {
    assert.deepEqual(faults, []);
  });

  if (flag === "--shots") {
    mkdirSync(shots, { recursive: true });
    await voter.page.goto(`${origin}/payment-alerts`);
    for (const key of ["j", "x", "j", "x"]) await voter.page.keyboard.press(key);
    await voter.page.getByText("With those picked").click();
    await voter.page.fill("#f-title", "两张卡在同一商户被试用");
    await press(voter.page, "Open a case of them");
    const rowOf = async ({ page }, path) => {
      await page.goto(origin + path);
      return firstRow(page);
    };
    const entityOf = async () => {
      await officer.page.goto(origin + await rowOf(officer, "/decisions?type=payment.transfer&outcome=review"));
      return officer.page.locator(".web a.node[data-kind=payee]").first().getAttribute("href");
    };
    for (const [name, person, path, theme, language] of [
      ["overview", officer, "/", "light", "en"],
      ["decision", officer, await rowOf(officer, "/decisions?outcome=decline"), "dark", "zh"],
      ["alert", analyst, await rowOf(analyst, "/payment-alerts"), "light", "en"],
      ["case", voter, await rowOf(voter, "/cases?state=open"), "dark", "zh"],
      ["queue", analyst, "/payment-alerts", "light", "zh"],
      ["entity", officer, await entityOf(), "light", "en"],
      ["studio", privacy, "/studio?from=live&pack=card_testing&rule=device_tries_many_cards", "light", "en"],
      ["trail", officer, "/trail", "dark", "en"],
    ]) {
      assert.ok(path, `there is no ${name} to be seen`);
      await looking(person.context, origin, theme, language);
      await person.page.goto(origin + path, { waitUntil: "networkidle" });
      await person.page.screenshot({ path: join(shots, `${name}.png`) });
    }
  }
} finally {
  await home.close();
  rmSync(folder, { recursive: true });
}
