// Diagrams of a run: Mermaid's own tool draws what the program prints, and pictures hold in every
// view.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { folder, launch, open, overlaps, picture, root, run, VIEWS } from "./fixture.mjs";

const RUNS = {
  "issue-821": ["scenarios/handover-slow.json", "--behaviour", "8.0.0-rc1"],
  cured: ["scenarios/handover-slow.json", "--behaviour", "8.0.1"],
  cluster: ["scenarios/cluster-failover.json"],
  crash: ["scenarios/target-crash-in-progress.json"],
  lost: ["scenarios/psync-reply-lost.json"],
  sentinel: ["scenarios/sentinel-coordinated.json"],
};
const replay = (format, args) => run("replay", ...args, "--seed", "1", "--format", format);

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

test("Mermaid draws every diagram", async (t) => {
  const page = await browser.newPage();
  await page.setContent("<!doctype html><title>Mermaid</title><main></main>");
  await page.addScriptTag({ path: join(root, "tests/browser/node_modules/mermaid/dist/mermaid.min.js") });
  for (const [name, args] of Object.entries({
    ...RUNS,
    // Everything: cut where GitHub would not draw it any more.
    all: [...RUNS["issue-821"], "--client", "readers/1", "--all"],
  })) {
    await t.test(name, async () => {
      const text = replay("mermaid", args);
      assert.ok(text.length <= 50_000, `${text.length} characters`);
      const drawn = await page.evaluate(async ([name, text]) => {
        globalThis.mermaid.initialize({ startOnLoad: false, maxTextSize: 50_000 });
        const { svg, diagramType } = await globalThis.mermaid.render(name, text);
        document.querySelector("main").innerHTML = svg;
        const texts = (selector) => [...document.querySelectorAll(selector)].map((e) => e.textContent);
        return { diagramType, messages: texts(".messageText"), notes: texts(".noteText"), actors: texts("text.actor") };
      }, [name, text]);
      assert.equal(drawn.diagramType, "sequence");
      const arrows = text.split("\n").filter((line) => /^ {4}p\d+-/.test(line));
      assert.equal(drawn.messages.length, arrows.length);
      assert.ok(drawn.notes.length > 0 && drawn.actors.length >= 2);
      // What is escaped is read as it was meant.
      if (name === "issue-821") {
        assert.ok(drawn.messages.some((message) => message.includes("SET #0")), drawn.messages.join("\n"));
        assert.ok(drawn.messages.some((message) => message.includes("BOUNCE 2 to old")));
      }
      if (name !== "all") await page.screenshot({ path: join(folder, `mermaid-${name}.png`), fullPage: true });
    });
  }
  await page.close();
});

test("pictures hold in every view", async (t) => {
  for (const [name, args] of Object.entries(RUNS)) {
    await t.test(name, async () => {
      // In a page of its own, since a picture alone cannot be photographed.
      const path = join(folder, `diagram-${name}.html`);
      const drawn = replay("svg", args);
      writeFileSync(path, `<!doctype html><meta charset="utf-8"><title>${name}</title><body style="margin:0">${drawn}`);
      for (const view of VIEWS) {
        const where = `${name} at ${view.width}, ${view.scheme}`;
        const { page, complaints, close } = await open(browser, path, view);
        await picture(page, `diagram-${name}-${view.width}-${view.scheme}`);
        assert.deepEqual(await overlaps(page), [], where);
        const { contrasts, wide } = await page.evaluate(() => {
          const luminance = (colour) => {
            const [r, g, b] = colour.match(/\d+/g).map((n) => n / 255)
              .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const fill = (element) => luminance(getComputedStyle(element).fill);
          const ground = fill(document.querySelector("rect.page"));
          const contrasts = [...document.querySelectorAll("text")].map((text) => {
            const [low, high] = [fill(text), ground].sort((a, b) => a - b);
            return { text: text.textContent, contrast: (high + 0.05) / (low + 0.05) };
          });
          return { contrasts, wide: document.querySelector("svg").getBoundingClientRect().width };
        });
        const pale = contrasts.filter(({ contrast }) => contrast < 4.5);
        assert.deepEqual(pale, [], where);
        assert.ok(wide <= view.width, `${where}: ${wide} pixels wide`);
        assert.deepEqual(complaints, [], where);
        await close();
      }
    });
  }
});
