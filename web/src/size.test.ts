import { gzipSync } from "node:zlib";
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const MOST = 600_000;

it("the whole app is at most 600 KB compressed", () => {
  const files = readdirSync("dist", { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const bytes = files.map((entry) => gzipSync(readFileSync(`${entry.parentPath}/${entry.name}`)).length);
  const sum = bytes.reduce((a, b) => a + b, 0);
  console.log(`the app is ${sum} bytes compressed, in ${files.length} files`);
  expect(sum).toBeGreaterThan(10_000);
  expect(sum).toBeLessThan(MOST);
});

it("the page has nothing inline, which its content security policy would stop", () => {
  const page = readFileSync("dist/index.html", "utf8");
  expect(page).toMatch(/<script type="module" crossorigin src="\/assets\//);
  for (const bad of [/<script(?![^>]* src=)/, /<style/, / style=/, / on[a-z]+=/])
    expect(page).not.toMatch(bad);
});
