// Tests the dashboard in a browser: node browser.js DASHBOARD MOCK KEY FOLDER STEP_SECONDS
// Prints "ok NAME", "not ok NAME: why" and "measured …" lines for dashboard_spec.lua; screenshots go to FOLDER.
"use strict";
const assert = require("node:assert");
const { statSync } = require("node:fs");
const [url, api, key, folder, stepSeconds] = process.argv.slice(2);
const { chromium } = require("playwright-core");
const axe = require("axe-core");

const NASTY_NAME = "<script>window.owned = 1</script>";
const NASTY_REF = "\"><img src=x onerror='window.owned = 1'>&amp;";
const LONG_NAME = "Wide".repeat(50), LONG_PROVIDER = "providerWithAVeryLongName".repeat(3);
const WIDTHS = [[390, 844], [768, 1024], [1280, 800], [1920, 1080]];
const SECRETS = [key, "access-0", "refresh-0", "api-key-0", "api-key-123"];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function control(name, settings) {
  const response = await fetch(`${api}/__mock/${name}`, {
    method: settings ? "POST" : "GET", headers: { "X-Api-Key": key }, body: settings && JSON.stringify(settings),
  });
  assert.equal(response.status, 200, `control ${name}`);
  return response.json();
}
const change = (id, set) => control("installations", { ids: [id], set });

async function until(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s until ${what}`);
    await sleep(50);
  }
}

const complaints = [];
async function open(browser, options = {}, path = "") {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: "light", ...options });
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url + path);
  if (options.javaScriptEnabled !== false) await page.waitForSelector("html.script #rows tr.pad", { state: "attached" });
  return page;
}
const shoot = async (page, name) => page.screenshot({ path: `${folder}/${name}.png` });
const text = (page, selector) => page.locator(selector).first().innerText();
const count = (page, selector) => page.locator(selector).count();
const total = async (page, tile) => Number((await text(page, `.tile.${tile} strong`)).replaceAll(",", ""));

// Lets the API fail while `act` runs, and leaves when the dashboard knows that it works again: the next page is opened after that.
async function whileFailing(page, act) {
  try {
    await control("faults", { on: "listInstallations", status: 503 });
    await page.waitForSelector(".problem");
    await act();
  } finally {
    await control("faults", { clear: true });
  }
  await until("the API works again", async () => await count(page, ".problem") === 0);
}

// Every rule of axe-core for WCAG 2.2 A and AA, best practice, and those that are not yet on by default.
async function audit(page, what) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"],
    rules: { "label-content-name-mismatch": { enabled: true }, "target-size": { enabled: true } }, resultTypes: ["violations"],
  }));
  assert.ok(passes.length > 15, `${passes.length} rules applied`);
  assert.deepEqual(violations.map((v) => `${what}: ${v.id}: ${v.nodes.slice(0, 3).map((node) => node.target).join("; ")}`), []);
}
// In one step: a locator finds its element first, and an overview that arrives in between replaces it.
const openProviders = (page) => page.evaluate(() => { document.querySelector("#overview details").open = true; });

// The contrast of an element's text with what lies behind it.
const contrast = (page, wanted) => page.evaluate((selector) => {
  const element = document.querySelector(selector);
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (numbers(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const a = light(getComputedStyle(element).color), b = light(getComputedStyle(behind).backgroundColor);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}, wanted);

async function auditWidths(browser, widths) {
  for (const [width, height] of widths) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(browser, { viewport: { width, height }, colorScheme });
      await shoot(page, `${width}-${colorScheme}`);
      await openProviders(page);
      await audit(page, `${width} px, ${colorScheme}`);
      await page.context().close();
    }
  }
}

const steps = {
  async "is complete without JavaScript"(browser) {
    const page = await open(browser, { javaScriptEnabled: false });
    assert.equal(await count(page, "#rows tr"), 50);
    assert.equal(await count(page, ".tile"), 5);
    assert.ok(await count(page, ".chart a.bar") >= 10);
    const unhealthy = await text(page, ".tile.unhealthy strong");
    await page.selectOption("[name=state]", "unhealthy");
    await page.click("#filter button");
    assert.equal(await text(page, "#found"), `${unhealthy} of 10,000`);
    assert.equal(await count(page, "#rows tr.unhealthy"), 50);
    await page.click(".paging a");
    assert.match(page.url(), /state=unhealthy&page=2/);
    await page.click("#rows th a");
    assert.match(await text(page, "article"), /cause/i);
    await page.context().close();
  },

  async "shows any text as text"(browser) {
    const folded = await open(browser, { javaScriptEnabled: false }, "?q=AngStrom");
    assert.equal(await text(folded, "#rows th a"), "Ångström Labs");
    await folded.context().close();
    const plain = await open(browser, { javaScriptEnabled: false }, "?q=window.owned");
    assert.equal(await text(plain, "#rows th a"), NASTY_NAME);
    assert.equal(await plain.textContent("#rows th small"), NASTY_REF);
    const page = await open(browser, {}, "?q=window.owned&provider=%22%3E%3Cscript%3E");
    assert.match(await text(page, "#found"), /^0 of/);
    await page.fill("[name=q]", "<ScRiPt>");
    await page.selectOption("[name=provider]", "");
    await until("the row is there", async () => await count(page, "#rows tr:not(.pad)") === 1);
    assert.equal(await text(page, "#rows th a"), NASTY_NAME);
    assert.equal(await page.textContent("#rows th small"), NASTY_REF);
    await page.click("#rows th a");
    assert.equal(await text(page, "dialog h2"), NASTY_NAME);
    assert.match(await page.textContent("dialog .ids"), /onerror/);
    assert.equal(await page.evaluate(() => window.owned), undefined);
    await page.context().close();
    await plain.context().close();
  },

  async "has a picture for the documentation"(browser) {
    const page = await open(browser, { viewport: { width: 1280, height: 680 } });
    await until("it is live", async () => /^Live/.test(await text(page, "#age")));
    await shoot(page, "dashboard");
    assert.ok(statSync(`${folder}/dashboard.png`).size < 150000);
    await page.context().close();
  },

  async "keeps secrets from the reader"(browser) {
    const page = await open(browser);
    const all = await page.evaluate(async () => {
      const parts = [document.documentElement.outerHTML];
      for (const path of ["/", "/rows", "/explain?id=installation-123", "/?part=overview"]) parts.push(await (await fetch(path)).text());
      return parts.join("\n");
    });
    assert.ok(all.length > 1e6);
    for (const secret of SECRETS) assert.ok(!all.includes(secret), `found ${secret.slice(0, 7)}…`);
    const { "content-security-policy": policy } = (await page.request.get(url)).headers();
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    const status = async (path, headers) => (await page.request.get(url + path, { headers })).status();
    assert.equal(await status("/", { Host: "elsewhere.example" }), 421);
    assert.equal(await status("/explain?id=installation-123", { "Sec-Fetch-Site": "cross-site" }), 403);
    assert.equal(await status("/explain?id=nobody"), 404);
    await page.context().close();
  },

  async "keeps the rows that the server has rendered"(browser) {
    for (const query of ["", "?sort=customer&dir=desc", "?sort=updated&q=labs"]) {
      const plain = await open(browser, { javaScriptEnabled: false }, query), page = await open(browser, {}, query);
      const links = (from) => from.locator("#rows th a").evaluateAll((all) => all.slice(0, 15).map((a) => a.getAttribute("href")));
      assert.deepEqual(await links(page), await links(plain));
      await plain.context().close();
      await page.context().close();
    }
  },

  async "searches, filters and sorts"(browser) {
    const page = await open(browser);
    await page.keyboard.press("/");
    await page.keyboard.type("muller");
    await until("the search is done", async () => /^[1-9]\d{2} of 10,000$/.test(await text(page, "#found")));
    assert.match(page.url(), /q=muller/);
    await page.click(".tile.unhealthy");
    await until("the tile is chosen", () => count(page, ".tile.unhealthy[aria-current]"));
    assert.equal(await count(page, "#rows tr.healthy"), 0);
    await page.click("thead .provider a");
    assert.equal(await page.getAttribute("thead th.provider", "aria-sort"), "ascending");
    const names = await page.locator("#rows td.provider").allInnerTexts();
    assert.deepEqual(names, [...names].sort((a, b) => a.localeCompare(b, "en", { sensitivity: "base" })));
    await page.click("thead .provider a");
    assert.equal(await page.getAttribute("thead th.provider", "aria-sort"), "descending");
    await page.reload();
    await page.waitForSelector("html.script #rows tr.pad", { state: "attached" });
    assert.equal(await page.inputValue("[name=q]"), "muller");
    await page.fill("[name=q]", "no such customer");
    assert.ok(await page.isVisible("#nothing"));
    await page.click("#nothing a");
    assert.equal(await text(page, "#found"), "10,000 of 10,000");
    const bar = page.locator("a.bar").first(), provider = await bar.getAttribute("data-value");
    await bar.click();
    assert.equal(await page.inputValue("[name=provider]"), provider);
    await page.context().close();
  },

  async "explains an installation, and works by keyboard alone"(browser) {
    const page = await open(browser);
    await page.locator("#rows th a").first().focus();
    for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowDown");
    const focused = () => page.evaluate(() => Number(document.activeElement.closest("tr").getAttribute("aria-rowindex")));
    assert.equal(await focused(), 42);
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog[open] h3");
    assert.match(await text(page, "dialog"), /What to do/i);
    await shoot(page, "explanation");
    await page.keyboard.press("Escape");
    assert.equal(await count(page, "dialog[open]"), 0);
    assert.equal(await focused(), 42);
    await page.keyboard.press("End");
    assert.equal(await focused(), 10001);
    await page.keyboard.press("Home");
    assert.equal(await focused(), 2);
    await page.context().close();
  },

  async "announces at once what became unhealthy"(browser) {
    const page = await open(browser);
    await until("it is live", async () => /^Live/.test(await text(page, "#age")));
    const before = await total(page, "unhealthy");
    await page.fill("[name=q]", "installation-0000777");
    assert.match(await text(page, "#rows td.state"), /Healthy/);
    await change("installation-0000777", { healthStatus: "unhealthy" });
    await page.waitForSelector("#changes a");
    assert.match(await text(page, "#changes a"), /: unhealthy$/);
    await until("the row has changed", async () => await count(page, "#rows tr.unhealthy") === 1);
    await until("the number has changed", async () => await total(page, "unhealthy") === before + 1);
    await shoot(page, "changes");
    await change("installation-0000777", { healthStatus: "healthy" });
    await until("it has recovered", async () => await count(page, "#rows tr.healthy") === 1);
    await page.context().close();
  },

  async "closes its event stream while it is hidden, and updates afterwards"(browser) {
    const page = await open(browser);
    const hide = (hidden) => page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
    await until("it is live", async () => /^Live/.test(await text(page, "#age")));
    await hide(true);
    await change("installation-0000778", { healthStatus: "unhealthy" });
    await until("the server knows", async () => (await (await fetch(`${url}/?q=installation-0000778&state=unhealthy`)).text()).includes("1 of 10,000"));
    await sleep(700);
    assert.equal(await count(page, "#changes a"), 0);
    await hide(false);
    await page.waitForSelector("#changes a");
    await page.context().close();
  },

  async "shows the newest numbers when an older answer comes later"(browser) {
    const page = await open(browser);
    await until("it is live", async () => /^Live/.test(await text(page, "#age")));
    const before = await total(page, "unhealthy");
    let first = true, release, late;
    const held = new Promise((done) => { release = done; });
    await page.route(/part=overview/, async (route) => {
      const mine = first;
      first = false;
      const response = await route.fetch();
      if (mine) {
        late = held.then(() => route.fulfill({ response }));
      } else {
        await route.fulfill({ response });
      }
    });
    await change("installation-0000779", { healthStatus: "unhealthy" });
    await until("the first answer waits", () => late !== undefined);
    await change("installation-0000780", { healthStatus: "unhealthy" });
    await until("the second is shown", async () => await total(page, "unhealthy") === before + 2);
    release();
    await late;
    await sleep(300);
    assert.equal(await total(page, "unhealthy"), before + 2);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    for (const id of ["installation-0000779", "installation-0000780"]) await change(id, { healthStatus: "healthy" });
    await page.context().close();
  },

  async "sends one request per refresh to the API, for any number of readers"(browser) {
    const page = await open(browser);
    await control("requests", {});
    const started = Date.now();
    await page.evaluate(() => Promise.all(Array.from({ length: 60 }, () => fetch("/").then((r) => r.text()))));
    let asked, all;
    await until("the list was refreshed twice", async () => {
      ({ by_operation: asked, count: all } = await control("requests"));
      return asked.listInstallations >= 2;
    });
    const most = (Date.now() - started) / 1000 + 2;
    assert.ok(asked.listInstallations <= most, `${asked.listInstallations} lists`);
    assert.equal(all, asked.listInstallations);
    await page.context().close();
  },

  async "reports that the API fails, with the age of the list"(browser) {
    const page = await open(browser);
    await whileFailing(page, async () => {
      assert.match(await text(page, ".problem"), /503/);
      assert.match(await text(page, ".problem"), /is \d+ s old/);
      await until("the header reports it", async () => /^API failing · \d+ s ago/.test(await text(page, "#age")));
      assert.equal(await text(page, "#found"), "10,000 of 10,000");
      await shoot(page, "failure");
    });
    await page.context().close();
  },

  async "can be read in dark and light, on a phone and without motion"(browser) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(browser, { colorScheme });
      await page.fill("[name=q]", "Every State");
      await until("all states are there", async () => await count(page, "#rows tr:not(.pad)") === 4);
      for (const selector of [".tile .share", ".tile.unhealthy strong", "tr.unhealthy .state span", "tr.refused .state span",
        "tr.healthy .state span", "tr.unverified .state span", "tbody th small", "td.updated", "#age", "thead a"]) {
        const ratio = await contrast(page, selector);
        assert.ok(ratio >= 4.5, `${selector} in ${colorScheme}: ${ratio.toFixed(2)}`);
      }
      await page.fill("[name=q]", "");
      await shoot(page, colorScheme);
      await page.context().close();
    }
    const phone = await open(browser, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, reducedMotion: "reduce" });
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    assert.equal(await phone.evaluate(() => getComputedStyle(document.querySelector(".dot")).animationName), "none");
    assert.ok(await phone.isVisible("#rows td.state span"));
    await shoot(phone, "phone");
    await phone.evaluate(() => document.querySelector("#list").scrollIntoView());
    await shoot(phone, "phone-list");
    await phone.locator("#rows th a").nth(2).click();
    await phone.waitForSelector("dialog[open] h3");
    await shoot(phone, "phone-dialog");
    await phone.context().close();
  },

  async "has no violation of axe-core's rules on a phone and a tablet"(browser) {
    await auditWidths(browser, WIDTHS.slice(0, 2));
  },

  async "has no violation of axe-core's rules on a laptop and a large screen"(browser) {
    await auditWidths(browser, WIDTHS.slice(2));
  },

  async "has no violation of axe-core's rules in an explanation, while the API fails, and without a result"(browser) {
    const page = await open(browser, {}, "?provider=salesforce&state=unhealthy");
    await audit(page, "filtered");
    await page.locator("#rows th a").first().click();
    await page.waitForSelector("dialog[open] h3");
    await audit(page, "dialog");
    await page.goto(`${url}/explain?id=installation-0000020`);
    await audit(page, "explanation");
    await page.goto(`${url}/?q=no+such+customer`);
    await page.waitForSelector("#nothing:not([hidden])");
    await whileFailing(page, () => audit(page, "failure"));
    await page.context().close();
  },

  async "leaves the customer's name at least 13 rem, and overlaps nothing, at every width"(browser) {
    const page = await open(browser, { viewport: { width: 1280, height: 800 } });
    await openProviders(page);
    for (let width = 320; width <= 1920; width += 40) {
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const found = await page.evaluate(() => {
        const box = (element) => element.getBoundingClientRect(), wrong = [];
        const visible = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
        const row = visible("#rows tr:not(.pad)")[0], name = row.querySelector("th"), cards = getComputedStyle(row).display === "grid";
        if (box(name).width < (cards ? box(row).width * 0.4 : 13 * 16)) wrong.push(`name ${box(name).width} px of ${box(row).width}`);
        if (Math.abs(box(row).right - box(row.closest("table")).right) > 1) wrong.push("the row does not fill the table");
        if (document.documentElement.scrollWidth > innerWidth) wrong.push(`page ${document.documentElement.scrollWidth} px`);
        const cells = visible("thead a").map((link) => { const range = new Range(); range.selectNodeContents(link); return box(range); });
        const pairs = cells.slice(1).map((cell, i) => [cells[i], cell, "head"]);
        for (const bar of visible(".bar")) pairs.push([box(bar.querySelector(".name")), box(bar.querySelector(".count")), bar.textContent]);
        for (const tile of visible(".tile")) if (tile.scrollWidth > tile.clientWidth) wrong.push(`tile ${tile.textContent}`);
        for (const [a, b, what] of pairs) if (a.right > b.left + 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5) wrong.push(`overlap: ${what}`);
        return { wrong, bars: visible(".bar").length };
      });
      assert.deepEqual(found.wrong.map((what) => `${width} px: ${what}`), []);
      assert.ok(found.bars > 20, `${found.bars} bars`);
    }
    await page.context().close();
  },

  async "shows customers on the first screen, and reaches the search with two presses of Tab"(browser) {
    for (const javaScriptEnabled of [true, false]) {
      for (const [width, height] of [[360, 640], ...WIDTHS]) {
        const page = await open(browser, { viewport: { width, height }, javaScriptEnabled });
        const row = await page.locator("#rows tr:not(.pad)").nth(1).boundingBox();
        assert.ok(row.y + row.height <= height, `second row at ${row.y} of ${width}x${height}`);
        await page.keyboard.press("Tab");
        await page.keyboard.press("Tab");
        assert.equal(await page.locator(":focus").getAttribute("name"), "q");
        await page.context().close();
      }
    }
  },

  async "gives the zone of every time"(browser) {
    for (const [javaScriptEnabled, width] of [[true, 1280], [true, 390], [false, 1280]]) {
      const page = await open(browser, { viewport: { width, height: 800 }, javaScriptEnabled }, "?sort=updated&dir=desc");
      const times = await page.locator("#rows time").allInnerTexts();
      assert.ok(times.length > 10);
      for (const time of times) assert.match(time, /^(–\s*|\d{4}-\d\d-\d\d\s+\d\d:\d\d UTC)$/);
      assert.match(times[0], /UTC/);
      await page.context().close();
    }
    const page = await open(browser, {}, "?state=unhealthy");
    await page.locator("#rows th a").first().click();
    await page.waitForSelector("dialog[open] h3");
    for (const time of (await text(page, "dialog")).match(/\d\d:\d\d.{0,8}/g) || []) assert.match(time, /UTC/);
    await page.context().close();
  },

  async "draws only the visible rows of 10,000"(browser) {
    const started = Date.now();
    const page = await open(browser);
    const taken = Date.now() - started;
    // the CPU time of the page's thread, apart from the painting, while a wheel turns and while the scroll bar is pulled
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const spent = async () => Object.fromEntries((await session.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value * 1000]));
    const scroll = async (step) => {
      const before = await spent();
      await page.evaluate(async (pixels) => {
        for (let i = 1; i <= 60; i++) {
          scrollTo(0, i * pixels);
          await new Promise((done) => requestAnimationFrame(done));
        }
      }, step);
      const after = await spent();
      const each = (...names) => (names.reduce((sum, name) => sum + after[name] - before[name], 0) / 60).toFixed(1);
      return `script ${each("ScriptDuration")}, style and layout ${each("RecalcStyleDuration", "LayoutDuration")}`;
    };
    const work = `CPU with a wheel: ${await scroll(120)}; 80 rows a frame: ${await scroll(4500)}`;
    const figures = await page.evaluate(async () => {
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      const frames = [];
      let most = 0, last = await frame();
      for (let i = 1; i <= 60; i++) {
        scrollTo(0, i * 4500);
        const now = await frame();
        frames.push(now - last);
        last = now;
        most = Math.max(most, document.querySelectorAll("#rows tr").length);
      }
      frames.sort((a, b) => a - b);
      const timed = async (act) => {
        const start = performance.now();
        act();
        const work = performance.now() - start;
        await frame();
        return Math.round(work * 10) / 10;
      };
      const search = document.querySelector("[name=q]");
      const type = (q) => () => { search.value = q; search.dispatchEvent(new InputEvent("input", { bubbles: true })); };
      const sort = (name) => () => document.querySelector(`thead .${name} a`).click();
      const paint = performance.getEntriesByName("first-contentful-paint")[0];
      return {
        most, median: frames[30], p95: frames[57], worst: frames[59], letter: await timed(type("a")), word: await timed(type("acme")),
        all: await timed(type("")), byCustomer: await timed(sort("customer")), byUpdated: await timed(sort("updated")),
        byState: await timed(sort("state")), paint: Math.round(paint ? paint.startTime : -1),
      };
    });
    const size = await page.evaluate(() => performance.getEntriesByType("resource").find((e) => e.name.endsWith("/rows")));
    assert.ok(figures.most < 80, `${figures.most} rows were drawn`);
    console.log(`measured 10,000 rows: complete after ${taken} ms, first paint ${figures.paint} ms, list ${size.encodedBodySize} bytes in ${Math.round(size.duration)} ms, `
      + `at most ${figures.most} rows in the document; scrolling ms per frame: median ${figures.median.toFixed(1)}, p95 ${figures.p95.toFixed(1)}, `
      + `worst ${figures.worst.toFixed(1)} (${work}); ms to search: ${figures.letter}, ${figures.word}, ${figures.all}; ms to sort: `
      + `customer ${figures.byCustomer}, updated ${figures.byUpdated}, state ${figures.byState}`);
    await page.evaluate(() => scrollTo(0, 250000));
    await until("a late row is drawn", () => page.evaluate(() => document.elementFromPoint(700, 500).closest("tr")?.ariaRowIndex > 3000));
    await shoot(page, "rows-10000");
    await page.context().close();
  },

  async "violates no content security policy, and no script fails"() {
    // what a test itself provoked is not a complaint
    assert.deepEqual(complaints.filter((words) => !/Failed to load resource/.test(words)), []);
  },
};

// A step that does not end in time fails by itself; the next one runs.
function within(seconds, promise) {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`not done within ${seconds} s`)), seconds * 1000); });
  promise.catch(() => {}); // rejected when its pages are closed, after the time has passed
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function main() {
  await change("installation-0000005", { group: { groupName: NASTY_NAME, groupRef: NASTY_REF } });
  await change("installation-0000030", { group: { groupName: LONG_NAME }, connection: { provider: LONG_PROVIDER } });
  const states = [["unhealthy", "working"], ["healthy", "bad_credentials"], ["healthy", "created"], ["healthy", "working"]];
  for (const [i, [healthStatus, status]] of states.entries()) {
    await change(`installation-000002${i}`, { healthStatus, connection: { status }, group: { groupName: "Every State Ltd" } });
  }
  const launch = () => chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  let browser = await launch();
  const listed = async (query, count) => (await (await fetch(`${url}/?q=${query}`)).text()).includes(`${count} of 10,000`);
  await until("the list is known", async () => await listed("every+state", 4) && await listed("window.owned", 1)
    && await listed(LONG_PROVIDER, 1), 90);
  for (const [name, step] of Object.entries(steps)) {
    const started = Date.now();
    try {
      if (!browser.isConnected()) browser = await launch();
      await within(stepSeconds, step(browser));
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`not ok ${name}: ${String(error.message).replace(/\s*\n\s*/g, " | ").slice(0, 600)}`);
      for (const context of browser.contexts()) await context.close();
    }
    if (process.env.TIMES) console.log(`took ${Date.now() - started} ms`);
  }
  await browser.close();
}
main().catch((error) => {
  console.log(`not ok the browser: ${error.message}`);
  process.exitCode = 1;
});
