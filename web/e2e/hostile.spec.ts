// A log made of what somebody could write who wants to harm the reader.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawn, expect, keepsRaw, rows, serve, test } from "./whet";

const SCRIPT = "<img src=x onerror=window.harmed=1><script>window.harmed=1</script>";
const TURNED = "alice\u202egnp.exe\u202c\u2066\u200b";
const LONG = "A".repeat(1 << 20);
const USERS = [
  SCRIPT,
  TURNED,
  "javascript:alert(1)//",
  '"><svg onload=window.harmed=1>',
  "\u001b]0;x\u0007[31m",
  "a'\"`${1}{{7*7}}",
];

function event(i: number, username: string, name: string, more: object): object {
  const at = new Date(Date.UTC(2026, 10, 23, 18, 0, i)).toISOString().replace("Z", "000Z");
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "RequestResponse",
    auditID: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
    stage: "ResponseComplete",
    requestURI: `/api/v1/namespaces/shop/configmaps/${encodeURIComponent(name)}`,
    verb: "update",
    user: { username, groups: [SCRIPT, TURNED] },
    sourceIPs: ["127.0.0.1"],
    userAgent: `kubectl ${SCRIPT} ${TURNED}`,
    objectRef: { resource: "configmaps", namespace: "shop", name, apiVersion: "v1" },
    responseStatus: {
      metadata: {},
      code: 403,
      status: "Failure",
      reason: "Forbidden",
      message: SCRIPT + TURNED,
    },
    requestObject: {
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: { name, namespace: "shop" },
      data: { x: SCRIPT + TURNED },
    },
    requestReceivedTimestamp: at,
    stageTimestamp: at,
    annotations: { "authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": SCRIPT },
    ...more,
  };
}

let folder = "";
let server: Awaited<ReturnType<typeof serve>>;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "whet-hostile-"));
  const log = join(folder, "hostile.log");
  const events = USERS.map((user, i) => event(i, user, user, {}));
  events.push(
    event(50, "mallory", "long", { userAgent: LONG, user: { username: "mallory", groups: [LONG] } }),
  );
  events.push(event(60, "", "nobody", {}), event(61, "B" + LONG, "endless", {}));
  writeFileSync(log, events.map((e) => JSON.stringify(e)).join("\n") + "\n");
  server = await serve(log);
});

test.afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

test("hostile names, agents and bodies are only ever text", async ({ page }) => {
  await page.goto(server.url);
  await drawn(page);
  const raw = await keepsRaw(server.url);
  const count = await rows(page).count();
  expect(count).toBeGreaterThanOrEqual(USERS.length);
  const harmless = async (where: string) => {
    const found = await page.evaluate(() => ({
      harmed: "harmed" in window,
      elements: document.querySelectorAll(
        "img, iframe, object, embed, [onerror], [onload], a[href^='javascript']",
      ).length,
      scripts: document.scripts.length,
      text: document.body.innerText,
    }));
    expect(found.harmed, where).toBe(false);
    expect(found.elements, where).toBe(0);
    expect(found.scripts, where).toBe(1);
    // What turns or hides text never reaches the page.
    // eslint-disable-next-line no-control-regex
    expect(found.text, where).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\u0007\u001b]/);
  };
  for (let i = 0; i < count; i++) {
    await rows(page).nth(i).click();
    await expect(page.getByTestId("sentence")).toBeVisible();
    for (const tab of ["Story", "Graph", "Waterfall", "Objects", "Events"]) {
      await page.getByRole("tab", { name: tab }).click();
      await harmless(`row ${i}, ${tab}`);
    }
    await page.getByRole("tab", { name: "Story" }).click();
    await page.getByTestId("story").getByRole("link").first().click();
    await expect(page.getByRole("heading", { name: "Facts" })).toBeVisible();
    if (raw) await expect(page.getByRole("button", { name: "Copy" }).first()).toBeVisible();
    await harmless(`row ${i}, event`);
    await page.keyboard.press("Escape");
  }
});

test("overrides of direction are shown by their number", async ({ page }) => {
  await page.goto(server.url);
  await drawn(page);
  await expect(rows(page).filter({ hasText: "gnp.exe" }).getByText("U+202E").first()).toBeVisible();
});

test("a megabyte in one field is cut, and the page stays quick", async ({ page }) => {
  await page.goto(`${server.url}/?q=${encodeURIComponent("actor == mallory")}`);
  await drawn(page);
  await rows(page).first().click();
  await expect(page.getByRole("button", { name: /show all [\d,]+ characters/ }).first()).toBeVisible();
  const shown = await page.evaluate(() => document.body.innerText.length);
  expect(shown).toBeLessThan(40_000);
});

test("whoever has no name, or one of a megabyte, can be asked about", async ({ page }) => {
  await page.goto(server.url);
  await drawn(page);
  const names = page.getByRole("list", { name: "Actors" }).getByRole("button");
  const lanes = await names.count();
  expect(lanes).toBeGreaterThanOrEqual(USERS.length + 3);
  for (let i = 0; i < lanes; i++) {
    await names.nth(i).click();
    await expect(page).toHaveURL(/only=/);
    await expect(page.getByLabel("Contexts in view"), `lane ${i}`).toContainText("1 context in view");
    expect(page.url().length).toBeLessThan(8000);
    await expect(page.getByRole("alert")).toHaveCount(0);
    await rows(page).first().click();
    await expect(page.getByTestId("sentence")).toBeVisible();
    await expect(page.getByRole("alert")).toHaveCount(0);
    await page.getByRole("link", { name: "Whet, everything" }).click();
    await drawn(page);
    await expect(names).toHaveCount(lanes);
  }
});
