// The demo's log as somebody sees it who opens Whet for the first time.

import { DEPLOY, drawn, expect, forgive, keepsRaw, open, rows, seriousFaults, test } from "./whet";

const POD = "pod/data/web-api-77b586c99c-grh44";

test("from the start page to who caused a pod to go, and what she did before", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command" }).fill(POD);
  await page.getByRole("option", { name: `Why? ${POD}` }).click();
  await expect(page.getByTestId("answer")).toContainText(
    "was deleted because alice ran: set image of deployment",
  );
  await page.getByRole("button", { name: "See all that alice caused" }).click();
  await expect(page.getByTestId("sentence")).toContainText("alice");
  await expect(page.getByTestId("gist")).toContainText("Went away: 4 pods");
  await expect(page.getByTestId("around")).toContainText("scale deployment data/web-api to 4");
  await page.getByTestId("around").getByRole("button", { name: "show everything" }).click();
  await expect(page).toHaveURL(/only=/);
  await expect(rows(page).first()).toContainText("alice");
  await expect(page.getByLabel("Contexts in view")).toContainText("70 contexts in view");
});

test("a deletion in the story leads up to the person, in four clicks", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  await page
    .getByRole("list", { name: "Actors" })
    .getByRole("button", { name: /^alice/ })
    .click();
  await expect(page.getByLabel("Contexts in view")).toContainText("70 contexts in view");
  await rows(page).filter({ hasText: "scale deployment data/web-api to 1" }).first().click();
  const story = page.getByTestId("story");
  await expect(story).toContainText("Went away: 3 pods");
  await story
    .getByRole("link", { name: /^delete pod data\/web-api/ })
    .first()
    .click();
  await page.getByRole("link", { name: "Why? Up to the person" }).click();
  await expect(page.getByTestId("answer")).toContainText(
    "because alice ran: scale deployment data/web-api to 1",
  );
});

test("the wheel zooms, keys move, 0 shows everything", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  const canvas = page.locator("canvas[role=application], .plot canvas").first();
  await canvas.hover();
  await page.mouse.wheel(0, -600);
  await expect(page).toHaveURL(/from=.*to=/);
  const before = page.url();
  await canvas.focus();
  await page.keyboard.press("ArrowRight");
  await expect(page).not.toHaveURL(before);
  await page.keyboard.press("0");
  await expect(page).not.toHaveURL(/from=/);
});

test("a stretch brushed on the strip restricts list and filters", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  const strip = (await page.getByTestId("strip").boundingBox())!;
  await page.mouse.move(strip.x + strip.width * 0.2, strip.y + 20);
  await page.mouse.down();
  await page.mouse.move(strip.x + strip.width * 0.4, strip.y + 20, { steps: 6 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*to=/);
  await expect(page.getByLabel("Contexts in view")).not.toContainText("402 contexts in view");
  await page.getByRole("slider", { name: "First time in view" }).focus();
  const before = page.url();
  await page.keyboard.press("ArrowLeft");
  await expect(page).not.toHaveURL(before);
});

test("a stretch dragged with Shift on the timeline is looked at", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  const plot = (await page.locator(".plot canvas").boundingBox())!;
  await page.keyboard.down("Shift");
  await page.mouse.move(plot.x + 200, plot.y + 60);
  await page.mouse.down();
  await page.mouse.move(plot.x + 400, plot.y + 60, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await expect(page).toHaveURL(/from=.*to=/);
});

test("a query is completed, judged and applied", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  await page.keyboard.press("/");
  const bar = page.getByRole("combobox", { name: "Query" });
  await bar.pressSequentially("outco");
  await expect(page.getByRole("option", { name: /^outcome/ })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(bar).toHaveValue("outcome ");
  await bar.pressSequentially("== ref");
  await expect(page.getByRole("option", { name: "refused" })).toBeVisible();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/q=outcome/);
  await expect(rows(page).first().getByText("refused")).toBeVisible();

  await bar.fill("usrname == alice");
  await expect(page.getByRole("alert")).toContainText("usrname");
  await bar.press("Enter");
  await expect(page).toHaveURL(/q=outcome/);
  await bar.fill("");
  await bar.press("Enter");
  await expect(page).not.toHaveURL(/q=/);
});

test("filters choose, leave out, and keep their numbers", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  const filters = page.getByRole("navigation", { name: "Filters" });
  await filters.getByRole("button", { name: /^bob/ }).click();
  await expect(page.getByLabel("Contexts in view")).toContainText("46 contexts in view");
  await expect(filters.getByRole("button", { name: /^alice.*70/ })).toBeVisible();
  await filters
    .getByRole("button", { name: /^delete/ })
    .first()
    .hover();
  await filters.getByRole("button", { name: "Leave out delete" }).click();
  await expect(page).toHaveURL(/not=/);
  await expect(rows(page).filter({ hasText: "delete" })).toHaveCount(0);
});

test("a link shows somebody else the same", async ({ page, demo, context }) => {
  await page.goto(demo);
  await drawn(page);
  await page
    .getByRole("navigation", { name: "Filters" })
    .getByRole("button", { name: /^alice/ })
    .click();
  await rows(page).filter({ hasText: "roll back deployment data/web-api" }).click();
  await page.getByRole("tab", { name: "Events" }).click();
  await expect(page.getByRole("table", { name: "Events" })).toContainText("deployment-controller");
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.getByRole("tab", { name: "Events" })).toHaveAttribute("aria-selected", "true");
  await expect(other.getByRole("table", { name: "Events" })).toContainText("deployment-controller");
  await expect(other.getByLabel("Contexts in view")).toContainText("70 contexts in view");
});

test("everything can be done with the keyboard alone", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  await page.keyboard.press("j");
  await expect(page.getByTestId("sentence")).toContainText("erin");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await expect(page.getByTestId("sentence")).toContainText("create namespace data");
  await page.getByRole("tab", { name: "Story" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("tab", { name: "Graph" })).toBeFocused();
  await expect(page.locator("svg[data-export=graph]")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("sentence")).toHaveCount(0);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Help" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("link", { name: "Whet, everything" }).focus();
  await page.keyboard.press("Shift+Tab");
  await expect(page.getByRole("button", { name: "To the timeline" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator(":focus")).toHaveAttribute("aria-label", /^Timeline\./);
  await page.keyboard.press(".");
  await expect(page.getByTestId("sentence")).toBeVisible();
});

test("each tab shows its part", async ({ page, demo }) => {
  await open(page, demo, DEPLOY);
  await page.getByRole("tab", { name: "Graph" }).click();
  await expect(page.getByRole("button", { name: /^alice/ }).last()).toBeVisible();
  await page.getByRole("button", { name: "Tree of causes" }).click();
  await expect(page.locator("svg[data-export=graph]")).toContainText("deployment-controller");
  await page.getByRole("tab", { name: "Waterfall" }).click();
  await expect(page.getByRole("table", { name: "Requests against time" })).toContainText("set image");
  await page.getByRole("tab", { name: "Objects" }).click();
  if (await keepsRaw(demo)) {
    const diff = page.getByTestId("diff");
    await expect(diff.locator(".old")).toContainText('"image": "nginx:1.27"');
    await expect(diff.locator(".new")).toContainText('"image": "nginx:1.28"');
  } else await expect(page.getByText("does not keep bodies").first()).toBeVisible();
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByRole("searchbox", { name: "Filter these events" }).fill("409");
  await expect(page.getByRole("table", { name: "Events" })).toContainText("409");
});

test("an event shows its JSON, which can be copied", async ({ page, demo }) => {
  await open(page, demo, DEPLOY);
  await page.getByTestId("story").getByRole("link", { name: DEPLOY }).click();
  if (await keepsRaw(demo)) {
    await page.getByRole("button", { name: "Copy" }).click();
    await expect(page.getByTestId("toast")).toHaveText("The JSON is copied.");
    const copied: unknown = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    expect(copied).toMatchObject({ kind: "Event", verb: "patch" });
  } else {
    await expect(page.getByTestId("no-raw")).toBeVisible();
  }
});

test("what else touched an object", async ({ page, demo }) => {
  await page.goto(demo + "/?ask=" + encodeURIComponent("object:apps/deployments/data/web-api/"));
  const touched = page.getByTestId("touched");
  await expect(touched).toContainText("roll back deployment data/web-api");
  await touched.getByRole("link", { name: /^scale deployment data\/web-api to 4/ }).click();
  await expect(page.getByTestId("sentence")).toContainText("scale deployment data/web-api to 4");
});

test("noise stands by rule, and a rule can be switched off", async ({ page, demo }) => {
  await page.goto(demo + "/noise");
  const rule = page.getByRole("switch", { name: "Rule leases" });
  await rule.click();
  await expect(rule).toHaveAttribute("aria-checked", "false");
  await expect(page.getByRole("table", { name: "Hidden events" })).toContainText(
    "leases.coordination.k8s.io",
  );
  await page.getByRole("switch", { name: "Rule discovery" }).click();
  await expect(page.getByRole("heading", { name: /2 rules hide/ })).toBeVisible();
  await expect(page.getByRole("table", { name: "Hidden events" })).toContainText("get /api");
  await page.getByRole("button", { name: "Switch all on again" }).click();
  await expect(page).not.toHaveURL(/rule=/);
});

test("two contexts are compared", async ({ page, demo }) => {
  await open(page, demo, "scale deployment data/web-api to 4");
  await page.getByRole("button", { name: "Compare with another context" }).click();
  await page.getByRole("button", { name: /scale deployment data\/web-api to 1/ }).click();
  await expect(page.getByRole("row", { name: /delete pods/ }).first()).toContainText("never");
});

test("a context is saved as a picture and as data", async ({ page, demo }) => {
  await open(page, demo, "roll back deployment data/web-api");
  for (const [item, end] of [
    ["Picture (PNG)", ".png"],
    ["Picture (SVG)", ".svg"],
    ["Data (JSON)", ".json"],
  ] as const) {
    await page.getByRole("button", { name: "Save or print" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: item }).click();
    expect((await download).suggestedFilename()).toMatch(new RegExp(`^context-[0-9a-f]{8}\\${end}$`));
  }
});

for (const scheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious, ${scheme}`, async ({ page, demo }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(demo);
    await drawn(page);
    expect(await seriousFaults(page)).toEqual([]);
    await open(page, demo, DEPLOY);
    for (const tab of ["Story", "Graph", "Waterfall", "Objects", "Events"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.waitForTimeout(400);
      expect(await seriousFaults(page), tab).toEqual([]);
    }
    await page.goto(demo + "/noise?rule=leases");
    await expect(page.getByRole("table", { name: "Hidden events" })).toBeVisible();
    expect(await seriousFaults(page), "noise").toEqual([]);
    await page.goto(demo + "/compare");
    await page.keyboard.press("?");
    await page.waitForTimeout(300);
    expect(await seriousFaults(page), "help").toEqual([]);
  });
}

test("at 200 percent nothing is cut off", async ({ page, demo }) => {
  await page.setViewportSize({ width: 683, height: 384 });
  await page.goto(demo);
  await drawn(page);
  const sideways = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(await sideways()).toBeLessThanOrEqual(0);
  await rows(page).first().click();
  await expect(page.getByTestId("sentence")).toBeVisible();
  expect(await sideways()).toBeLessThanOrEqual(0);
});

test("what is not there is said in words", async ({ page, demo, complaints }) => {
  await page.goto(demo + "/context/00000000-0000-0000-0000-000000000000");
  await expect(page.getByRole("alert")).toBeVisible();
  await page.goto(demo + "/?q=" + encodeURIComponent('actor == "nobody at all"'));
  await expect(page.getByText("Nothing here fits.")).toBeVisible();
  await page.getByRole("button", { name: "Remove the filter" }).click();
  await expect(rows(page).first()).toBeVisible();
  forgive(complaints, "404");
});
