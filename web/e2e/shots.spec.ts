// The pictures of docs/web.md. They are taken on request (playwright.config.ts).

import { resolve } from "node:path";
import { DEPLOY, drawn, open, rows, test } from "./whet";

const OUT = resolve(import.meta.dirname, "../../docs/img");

test("pictures", async ({ page, demo }) => {
  const shot = async (name: string) => {
    await page.mouse.move(2, 2);
    await page.waitForTimeout(900);
    await page.screenshot({ path: `${OUT}/web-${name}.png` });
  };
  await page.goto(demo);
  await drawn(page);
  await shot("timeline");
  await page.getByRole("button", { name: "Do not show this again" }).click();
  await page.goto(`${demo}/?ask=${encodeURIComponent("why:pod/data/web-api-77b586c99c-grh44")}`);
  await drawn(page);
  await shot("why");
  await open(page, demo, DEPLOY);
  await page.getByRole("button", { name: "Remove the whole filter" }).click();
  await shot("story");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.getByRole("tab", { name: "Graph" }).click();
  await shot("graph-dark");
  await page.getByRole("tab", { name: "Objects" }).click();
  await shot("objects-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.goto(`${demo}/noise?rule=leases&rule=discovery`);
  await shot("noise");
  await page.setViewportSize({ width: 1024, height: 768 });
  await page.goto(demo);
  await drawn(page);
  await rows(page).first().click();
  await shot("tablet");
});
