// What newcomers ask, by name, by link and with the keyboard alone.

import { readFileSync } from "node:fs";
import { DEPLOY, drawn, expect, forgive, open, rows, test } from "./whet";

const POD = "web-api-77b586c99c-grh44";

test("a pod's name in the bar: who caused it to go, and what she did before, in three steps", async ({
  page,
  demo,
}) => {
  await page.goto(demo);
  await drawn(page);
  const bar = page.getByRole("combobox", { name: "Query" });
  await bar.fill(POD);
  await page.getByRole("option", { name: `Why did pod data/${POD} change last?` }).click();
  await expect(page.getByTestId("answer")).toContainText("because alice ran: set image of deployment");
  await expect(page.getByTestId("around")).toContainText("scale deployment data/web-api to 4");
  await expect(bar).toHaveValue("");
});

test("a part of a name and Enter is enough, in the bar and in the palette", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  const bar = page.getByRole("combobox", { name: "Query" });
  await bar.pressSequentially("grh44");
  await expect(page.getByRole("option", { name: /^What touched pod/ })).toBeVisible();
  await bar.press("Enter");
  await expect(page.getByTestId("answer")).toContainText("alice");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command" }).fill("grh44");
  await page.getByRole("option", { name: /^What touched pod/ }).click();
  await expect(page.getByTestId("touched")).toContainText("set image of deployment data/web-api");
});

test("a wrong query is marked in the bar, and leaves the picture", async ({ page, demo, complaints }) => {
  await page.goto(demo);
  await drawn(page);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command" }).fill("usrname == alice");
  await page.getByRole("option", { name: "Ask: usrname == alice" }).click();
  await expect(page.getByRole("combobox", { name: "Query" })).toHaveAttribute("aria-invalid", "true");
  await expect(page.locator(".bar mark")).toHaveText("usrname");
  await expect(rows(page).first()).toBeVisible();
  await page.getByRole("button", { name: "did you mean username?" }).click();
  await expect(page.getByLabel("Contexts in view")).toContainText("70 contexts in view");
  await page.goto(`${demo}/?q=${encodeURIComponent("usrname == alice")}`);
  await expect(page.locator(".bar mark")).toHaveText("usrname");
  await page.getByRole("button", { name: "Ask username == alice" }).click();
  await expect(page.getByLabel("Contexts in view")).toContainText("70 contexts in view");
  forgive(complaints, "400");
});

test("the keyboard goes into the panel and comes back", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  const row = (n: number) => page.locator(`[data-row="${n}"]`);
  await row(0).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(row(2)).toBeFocused();
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  await expect(row(0)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("sentence").getByRole("heading")).toBeFocused();
  await page.getByRole("button", { name: "Save or print" }).press("Enter");
  await expect(page.getByRole("menuitem").first()).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(page.getByRole("menuitem", { name: "Print" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Save or print" })).toBeFocused();
  await expect(page.getByTestId("sentence")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("sentence")).toHaveCount(0);
  await expect(row(1)).toBeFocused();
});

test("the picture of a graph holds all of it, and says what it is", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  await page.goto(`${demo}/?q=${encodeURIComponent(`effects > 100 and verb == delete`)}`);
  await rows(page).first().click();
  await page.getByRole("tab", { name: "Graph" }).click();
  await page.getByRole("button", { name: "Tree of causes" }).click();
  await expect(page).toHaveURL(/graph=causes/);
  const graph = page.locator("svg[data-export=graph]");
  const [width = 0] = (await graph.getAttribute("data-extent"))!.split(" ").map(Number);
  await page.getByRole("button", { name: "Fit" }).click();
  const scene = (await graph.locator("[data-scene]").boundingBox())!;
  const stage = (await graph.boundingBox())!;
  expect(scene.x).toBeGreaterThanOrEqual(stage.x - 1);
  expect(scene.x + scene.width).toBeLessThanOrEqual(stage.x + stage.width + 1);
  expect(scene.y + scene.height).toBeLessThanOrEqual(stage.y + stage.height + 1);
  await page.getByRole("button", { name: "Save or print" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Picture (SVG)" }).click();
  const svg = readFileSync(await (await download).path(), "utf8");
  expect(Number(/ width="(\d+)"/.exec(svg)![1])).toBeGreaterThanOrEqual(Math.floor(width));
  expect(svg).toContain("It succeeded.");
  await expect(page.getByTestId("toast")).toHaveText("Saved.");
});

test("why stays when it is clicked, and Back stays in the app", async ({ page, demo }) => {
  await open(page, demo, DEPLOY);
  const line = page.getByTestId("story").locator(".line").nth(1);
  await line.hover();
  await line.getByRole("button", { name: "why", exact: true }).click();
  const card = page.getByTestId("why-card");
  await expect(card).toContainText("Rule");
  await card.getByRole("link").first().click();
  await expect(page.getByTestId("ask")).toContainText("Facts");
  await page.getByRole("button", { name: "Back" }).click();
  await expect(page.getByTestId("story")).toBeVisible();
  const fresh = await page.context().newPage();
  await fresh.goto("about:blank");
  await fresh.goto(`${demo}/?ask=${encodeURIComponent("why:pod/data/" + POD)}`);
  await expect(fresh).toHaveTitle(/^Why\? pod\/data/);
  await fresh.getByRole("button", { name: "Back" }).click();
  await expect(fresh).toHaveURL(demo + "/");
});

test("a stretch of time is typed, and the numbers of the lanes follow", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  await page.getByTitle("Type or paste a stretch of time").click();
  await page.getByRole("textbox", { name: "From" }).fill("18:25");
  await page.getByRole("textbox", { name: "to", exact: true }).fill("18:28");
  await page.getByRole("button", { name: "Look", exact: true }).click();
  await expect(page).toHaveURL(/from=2026-11-23T18%3A25%3A00Z/);
  await expect(page.getByRole("list", { name: "Actors" })).toContainText("6 of 70");
  await expect(page.getByRole("list", { name: "Actors" })).toContainText("0 of 62");
});

test("a second context is found in the app, and one that is not there is said", async ({
  page,
  demo,
  complaints,
}) => {
  await page.goto(demo + "/compare?left=00000000-0000-0000-0000-000000000000");
  await expect(page.getByRole("alert")).toContainText("there is no context");
  await page.getByRole("button", { name: "Choose another" }).click();
  for (const [side, what] of [
    ["First context", "data/web-api to 4"],
    ["Second context", "data/web-api to 1"],
  ] as const) {
    const section = page.getByRole("region", { name: side });
    await section.getByRole("searchbox").fill(what);
    await section.getByRole("button", { name: what }).first().click();
  }
  await expect(page.getByRole("row", { name: /delete pods/ }).first()).toContainText("never");
  forgive(complaints, "404");
});
