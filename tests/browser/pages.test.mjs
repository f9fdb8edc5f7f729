import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cells, folder, holds, launch, make, open, overhang, overlaps, picture, run } from "./fixture.mjs";

const SLOW = "scenarios/handover-slow.json";
let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** JSON of a command, and the page of it. */
function both(name, ...args) {
  const text = run(...args, "--format", "json");
  const path = join(folder, `${name}.json`);
  writeFileSync(path, text);
  return { json: JSON.parse(text), path: make(name, path) };
}

const grouped = (n) => n.toLocaleString("en");

test("a sweep", async (t) => {
  const { json, path } = both("sweep", "sweep", SLOW, "--seeds", "0..40", "--detail");
  await t.test("holds in every view", () => holds(browser, path, "sweep"));

  await t.test("has the same figures as its JSON", async () => {
    const { page, close } = await open(browser, path);
    const worst = await cells(page, "The seeds with the longest chains of redirects");
    assert.deepEqual(worst.map(([seed, chain]) => [seed, chain]),
      json.worst_seeds.map(({ seed, max_chain }) => [seed, grouped(max_chain)]));
    assert.ok(worst[0][2].startsWith(`rebound replay ${SLOW} --seed ${json.worst_seeds[0].seed} `), worst[0][2]);
    const checks = await cells(page, "Findings of each check in all runs");
    assert.deepEqual(Object.fromEntries(checks.map((row) => [row[0], row[3]])),
      Object.fromEntries(Object.entries(json.findings).map(([check, count]) => [check, grouped(count)])));
    const chains = await cells(page, "Redirects and bounces per command");
    assert.deepEqual(chains.map((row) => row[1]).filter((n) => n !== "0"),
      json.detail.chains.map(({ count }) => grouped(count)));
    const outages = await cells(page, "Longest outage per client");
    assert.deepEqual(outages.map((row) => row[2]).filter((n) => n !== "0"),
      json.detail.write_outages_ns.map(({ count }) => grouped(count)));
    const map = await cells(page, "Redirects by seed, and when most of them happened");
    assert.deepEqual(map.map((row) => row[2]),
      json.detail.redirects.rows.map(({ redirects }) => grouped(redirects.reduce((a, b) => a + b, 0))));
    await close();
  });

  await t.test("can be sorted, by keyboard too", async () => {
    const { page, complaints, close } = await open(browser, path);
    const caption = "The seeds with the longest chains of redirects";
    const head = page.locator("table", { hasText: caption }).locator("th button", { hasText: "Seed" });
    const seeds = async () => (await cells(page, caption)).map(([seed]) => Number(seed));
    await head.focus();
    await page.keyboard.press("Enter");
    assert.deepEqual(await seeds(), json.worst_seeds.map(({ seed }) => Number(seed)).sort((a, b) => a - b));
    await head.click();
    assert.deepEqual(await seeds(), json.worst_seeds.map(({ seed }) => Number(seed)).sort((a, b) => b - a));
    assert.deepEqual(complaints, []);
    await close();
  });

  await t.test("tells what a cell of the map holds, by pointer and by keys", async () => {
    const { page, complaints, close } = await open(browser, path);
    const map = page.locator("#heat svg.wide");
    const readout = page.locator("#heat .readout");
    await map.focus();
    await page.keyboard.press("ArrowDown");
    assert.match(await readout.textContent(), /^seed 0, 0\.000s to [\d.]+s: 0 redirects in 1 run$/);
    await page.keyboard.press("ArrowDown");
    assert.match(await readout.textContent(), /^seed 1, /);
    const place = json.detail.redirects.rows[1].redirects.findIndex((n) => n > 0);
    for (let step = 0; step < place; step += 1) await page.keyboard.press("ArrowRight");
    const count = grouped(json.detail.redirects.rows[1].redirects[place]);
    assert.ok((await readout.textContent()).endsWith(`: ${count} redirects in 1 run`));
    await map.scrollIntoViewIfNeeded();
    const box = await map.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 3);
    assert.match(await readout.textContent(), /^seed \d+, /);
    assert.deepEqual(complaints, []);
    await close();
  });

  await t.test("prints on a page's width, without its buttons", async () => {
    // A4 between usual margins.
    const { page, close } = await open(browser, path, { width: 718, scheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "light" });
    assert.equal(await page.locator("button.copy:visible").count(), 0);
    assert.equal(await overhang(page), 0);
    assert.deepEqual(await overlaps(page), []);
    await picture(page, "sweep-print");
    await close();
  });

  await t.test("copies a command", async () => {
    const { page, close } = await open(browser, path);
    const button = page.locator("button.copy").first();
    await button.click();
    // With leave it is copied, else selected.
    await page.waitForFunction((b) => /Copied|Selected/.test(b.textContent), await button.elementHandle());
    await close();
  });

  await t.test("is whole without scripts", async () => {
    const { page, close } = await open(browser, path, { javaScriptEnabled: false });
    const text = await page.locator("main").innerText();
    for (const part of ["40 flagged (100%)", "bounce", "Longest outage per client", "rebound replay"]) {
      assert.ok(text.includes(part), part);
    }
    assert.equal(await page.locator("button:visible").count(), 0);
    await close();
  });
});

test("a clean sweep without detail says what it lacks", async () => {
  const { path } = both("sweep-clean", "sweep", "scenarios/clean-failover.json", "--seeds", "0..5");
  await holds(browser, path, "sweep-clean");
  const { page, close } = await open(browser, path);
  const text = await page.locator("main").innerText();
  assert.ok(text.includes("rebound report scenarios/clean-failover.json --seeds 0..5"), text);
  await close();
});

test("a comparison", async (t) => {
  const { json, path } = both("comparison", "compare", SLOW, "--seeds", "0..10", "--behaviours",
    "8.0.0-rc1,state-check,pause-first,8.0.1,8.0.1+target-holds+idempotent-promotion");
  await t.test("holds in every view", () => holds(browser, path, "comparison"));

  await t.test("has the same figures as its JSON", async () => {
    const { page, close } = await open(browser, path);
    const behaviours = json.scenarios[0].behaviours;
    const verdicts = await cells(page, "handover-slow: runs by verdict");
    assert.deepEqual(verdicts.map((row) => [row[0], row[1]]),
      behaviours.map(({ behaviour, verdicts }) => [behaviour, grouped(verdicts.flagged)]));
    const figures = await cells(page,
      "handover-slow: figures of a run; a bar shows a value's share of the greatest in its row");
    const chain = figures.find(([label]) => label === "longest chain, max");
    assert.deepEqual(chain.slice(1),
      behaviours.map(({ figures }) => grouped(figures["longest-chain"].max)));
    const served = await cells(page, "handover-slow: commands served per second");
    assert.equal(served.length, behaviours[0].course.served.length);
    await close();
  });

  await t.test("has a picture for each behaviour and measure", async () => {
    const { page, close } = await open(browser, path);
    for (const measure of ["Redirects per second", "Commands postponed at a time", "Commands served per second"]) {
      assert.equal(await page.locator(`svg[aria-label^="${measure} under "]`).count(), 5, measure);
    }
    await close();
  });
});

test("all checks", async () => {
  const { json, path } = both("check-all", "check", "--seeds-per-scenario", "1");
  await holds(browser, path, "check-all");
  const { page, close } = await open(browser, path);
  assert.equal(await page.locator("ol.items li").count(), json.items.length);
  await close();
});

test("a check", async (t) => {
  // A hand-made one, since nothing that is shipped fails.
  const item = (outcome, behaviour, differs) => ({
    kind: "expectation", scenario: SLOW, behaviour, seeds: "0..20", outcome,
    expected: "every run clean, no chain longer than 1",
    found: differs ? "20 of 20 runs flagged" : "as expected",
    replay: differs ? `rebound replay ${SLOW} --seed 0 --behaviour ${behaviour}` : null,
  });
  const items = [item("passed", "8.0.1", false), item("passed", "merged", false),
    item("drifted", "8.1", true), item("failed", "8.0.0-rc1", true)];
  const json = join(folder, "check.json");
  writeFileSync(json, JSON.stringify({
    schema: "rebound.check/1", model: "1", items, totals: { passed: 2, drifted: 1, failed: 1 },
  }));
  const path = make("check", json);
  await t.test("holds in every view", () => holds(browser, path, "check"));

  await t.test("shows what failed first, and filters", async () => {
    const { page, complaints, close } = await open(browser, path);
    const shown = () => page.locator("ol.items li:visible .outcome").allTextContents();
    assert.deepEqual(await shown(), ["failed", "drifted", "passed", "passed"]);
    await page.locator(".filter button", { hasText: "Passed" }).click();
    assert.deepEqual(await shown(), ["passed", "passed"]);
    await page.locator(".filter input").fill("under MERGED");
    assert.deepEqual(await shown(), ["passed"]);
    assert.equal(await page.locator(".filter output").textContent(), "1 of 4 shown");
    assert.deepEqual(complaints, []);
    await close();
  });
});
