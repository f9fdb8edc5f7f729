import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { distance, tokens } from "./colours.mjs";
import { launch, make, open } from "./fixture.mjs";

// Colours that stand for different things in one picture. A pair that is added to a picture is
// added here.
const PAIRS = [
  ["--good", "--bad"],
  ["--good", "--doubt"],
  ["--bad", "--doubt"],
  ["--redirect", "--bounce"],
  ["--replica", "--primary"],
  ["--redirect", "--panel"],
  ["--primary", "--paper"],
  ["--paused", "--paper"],
  // The diagram of a run: bands of one strip, and messages.
  ["--syncing", "--handing-over"],
  ["--primary", "--syncing"],
  ["--paused", "--fault"],
  ["--paused", "--handing-over"],
  ["--request", "--reply"],
  ["--request", "--redirect"],
  ["--reply", "--redirect"],
  ["--reply", "--bounce"],
  ["--request", "--bounce"],
  ["--handshake", "--request"],
  ["--handshake", "--reply"],
];

/** Below this, two patches side by side are hard to tell apart. */
const LEAST = 15;

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

test("colours that stand for different things differ to all eyes", async () => {
  const path = make("colours", "scenarios/clean-failover.json", "--seeds", "0..2");
  const alike = [];
  for (const scheme of ["light", "dark"]) {
    const { page, close } = await open(browser, path, { scheme });
    const found = await tokens(page, [...new Set(PAIRS.flat())]);
    for (const [one, other] of PAIRS) {
      const least = distance(found[one], found[other]);
      if (least.distance < LEAST) {
        alike.push(`${scheme}: ${one} and ${other} are ${least.distance.toFixed(1)} apart to ${least.eye}`);
      }
    }
    await close();
  }
  assert.deepEqual(alike, []);
});

test("the distance is nought between equals and lost where eyes lose it", () => {
  assert.equal(distance("rgb(1, 2, 3)", "rgb(1, 2, 3)").distance, 0);
  assert.ok(distance("rgb(0, 0, 0)", "rgb(255, 255, 255)").distance > 99);
  // Chosen to differ in nothing but what a deuteranope does not see.
  const lost = distance("rgb(176, 104, 0)", "rgb(120, 128, 20)");
  assert.ok(lost.distance < 15, `${lost.distance}`);
  assert.notEqual(lost.eye, "all");
});
