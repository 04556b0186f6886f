// How soon a data set of a million events is seen. It runs on request
// (playwright.config.ts), since the data set must be made first: make web-million.

import { drawn, serve, test } from "./whet";

test("the first picture of a million events", async ({ page }) => {
  const server = await serve("--data", process.env["MILLION"]!);
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    await page.goto(server.url);
    await drawn(page);
    times.push(await page.evaluate(() => performance.getEntriesByName("first picture")[0]?.startTime ?? NaN));
  }
  console.log("first picture after", times.map(Math.round).join(", "), "ms");
  await server.stop();
});
