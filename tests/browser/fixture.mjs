// A real browser, pages made by the real program, and what both must keep to.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const rebound = resolve(process.env.REBOUND ?? join(target, "debug/rebound"));
/** Where pages and screenshots are left to be looked at. */
export const folder = join(target, "browser");
mkdirSync(folder, { recursive: true });

/** Runs the program in the repository and returns what it prints; a flagged run is no failure. */
export function run(...args) {
  try {
    return execFileSync(rebound, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  } catch (error) {
    if ([1, 3, 6].includes(error.status)) return error.stdout;
    throw error;
  }
}

/** Makes a page with `rebound report` and returns its path. `input` is a file's name or JSON. */
export function make(name, ...args) {
  const path = join(folder, `${name}.html`);
  run("report", ...args, "--out", path);
  return path;
}

/** The browser; the distribution's, unless CHROMIUM names another. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  assert.ok(existsSync(executablePath), `no browser at ${executablePath}`);
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

/** The views in which every page must hold. */
export const VIEWS = [1280, 400].flatMap((width) =>
  ["light", "dark"].map((scheme) => ({ width, scheme })));

/** Opens a page from the disk. `complaints` collects what must stay empty. */
export async function open(browser, path, { width = 1280, scheme = "light", hash = "", javaScriptEnabled = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 }, colorScheme: scheme, javaScriptEnabled,
  });
  const page = await context.newPage();
  const complaints = [];
  const url = pathToFileURL(path).href;
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== url) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url + hash);
  return { page, complaints, close: () => context.close() };
}

/** Leaves a picture of the whole page. */
export async function picture(page, name) {
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

const axe = readFileSync(join(root, "tests/browser/node_modules/axe-core/axe.min.js"), "utf8");

/** What axe finds wrong, in words. */
export async function violations(page) {
  // As the debugger's own, since the page's policy lets nothing else in.
  const results = await page.evaluate(`${axe}; axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  })`);
  return results.violations.map((violation) =>
    `${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} (${node.any.map((check) => check.message).join("; ")})`).join(" | ")}`);
}

/** How far the page is wider than its window. */
export function overhang(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Texts of a picture that overlap each other or leave the picture. */
export function overlaps(page) {
  return page.evaluate(() => {
    const found = [];
    for (const svg of document.querySelectorAll("svg")) {
      const frame = svg.getBoundingClientRect();
      if (frame.width === 0) continue;
      const texts = [...svg.querySelectorAll("text")]
        .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0);
      for (const { text, box } of texts) {
        if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
            box.top < frame.top - 1 || box.bottom > frame.bottom + 1) {
          found.push(`"${text}" leaves "${svg.getAttribute("aria-label")}"`);
        }
      }
      texts.forEach((one, place) => {
        for (const other of texts.slice(place + 1)) {
          const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
          const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
          if (across > 1 && down > 3) found.push(`"${one.text}" and "${other.text}" overlap`);
        }
      });
    }
    return found;
  });
}

/** The visible cells of a table, row by row, found by its caption. */
export function cells(page, caption) {
  return page.evaluate((caption) => {
    const table = [...document.querySelectorAll("table")]
      .find((table) => table.caption?.textContent === caption);
    return table && [...table.tBodies[0].rows]
      .map((row) => [...row.cells].map((cell) => cell.textContent.replace(/Copy$/, "")));
  }, caption);
}

/** What must hold of every page, in every view. */
export async function holds(browser, path, name) {
  for (const view of VIEWS) {
    const { page, complaints, close } = await open(browser, path, view);
    const where = `${name} at ${view.width}, ${view.scheme}`;
    await picture(page, `${name}-${view.width}-${view.scheme}`);
    assert.equal(await overhang(page), 0, `${where}: the page scrolls sideways`);
    assert.deepEqual(await overlaps(page), [], where);
    assert.deepEqual(await violations(page), [], where);
    assert.deepEqual(complaints, [], where);
    await close();
  }
}
