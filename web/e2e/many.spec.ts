// A hundred thousand contexts, made up here, since what is tested is the page.

import { drawn, expect, test } from "./whet";

const CONTEXTS = 100_000;
const LANES = 40;

function timeline() {
  const from = 1_795_458_160_000_000;
  const step = 3_600_000;
  let seed = 11;
  const next = () => (seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32;
  const lanes = Array.from({ length: LANES }, (_, l) => {
    const n = CONTEXTS / LANES;
    const start = Array.from({ length: n }, () => Math.floor(from + next() * 3.6e9)).sort((a, b) => a - b);
    return {
      actor: `user-${l}`,
      name: `user-${l}`,
      kind: "person",
      autonomous: false,
      total: n,
      effects: n,
      failed: 3,
      dots: {
        id: start.map(
          (_, i) => `00000000-0000-4000-${String(l).padStart(4, "0")}-${String(i).padStart(12, "0")}`,
        ),
        start,
        duration: start.map(() => Math.floor(next() * 5e6)),
        verb: start.map(() => Math.floor(next() * 5)),
        effects: start.map(() => Math.floor(next() ** 4 * 200)),
        outcome: start.map(() => (next() < 0.05 ? 1 : 0)),
      },
    };
  });
  const at = Array.from({ length: 1000 }, (_, i) => i);
  return {
    from,
    to: from + 3.6e9,
    step,
    total: CONTEXTS,
    mode: "dots",
    verbs: ["create", "delete", "patch", "get", "list"],
    outcomes: ["ok", "refused"],
    density: {
      at,
      count: at.map(() => 100),
      effects: at.map(() => 100),
      failed: at.map(() => 5),
      verb: at.map(() => 0),
    },
    lanes,
    others: { lanes: 0, total: 0, bins: { at: [], count: [], effects: [], failed: [], verb: [] } },
  };
}

test("100,000 contexts are panned and zoomed fluently", async ({ page, demo }) => {
  const body = JSON.stringify(timeline());
  await page.route("**/api/v1/timeline*", (route) =>
    route.fulfill({ contentType: "application/json", body }),
  );
  await page.route("**/api/v1/info", async (route) => {
    const info = (await (await route.fetch()).json()) as object;
    await route.fulfill({
      json: { ...info, first: "2026-11-23T18:22:40Z", last: "2026-11-23T19:22:40Z", contexts: CONTEXTS },
    });
  });
  await page.goto(demo + "/?from=2026-11-23T18:30:00Z&to=2026-11-23T18:50:00Z");
  await drawn(page);
  const plot = (await page.locator(".plot canvas").boundingBox())!;
  const middle = { x: plot.x + plot.width / 2, y: plot.y + plot.height / 2 };

  const measure = async (act: () => Promise<void>) => {
    await page.evaluate(() => {
      const frames: number[] = [];
      const state = window as unknown as { between: number[]; whetFrames: number[]; stop: boolean };
      state.between = frames;
      state.stop = false;
      state.whetFrames.length = 0;
      let last = performance.now();
      const tick = (now: number) => {
        frames.push(now - last);
        last = now;
        if (!state.stop) requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    });
    await act();
    return page.evaluate(() => {
      const state = window as unknown as { between: number[]; whetFrames: number[]; stop: boolean };
      state.stop = true;
      const sorted = (list: number[]) => [...list].sort((a, b) => a - b);
      const own = sorted(state.whetFrames);
      const between = sorted(state.between);
      const at = (list: number[], share: number) =>
        list[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0;
      return {
        frames: own.length,
        ownMedian: at(own, 0.5),
        ownMost: at(own, 1),
        between95: at(between, 0.95),
        betweenMost: at(between, 1),
      };
    });
  };

  await page.mouse.move(middle.x, middle.y);
  const panning = await measure(async () => {
    await page.mouse.down();
    for (let i = 0; i < 60; i++) await page.mouse.move(middle.x - i * 6, middle.y);
    await page.mouse.up();
  });
  const zooming = await measure(async () => {
    for (let i = 0; i < 20; i++) await page.mouse.wheel(0, i < 10 ? -120 : 120);
    await page.waitForTimeout(500);
  });
  console.log("panning", JSON.stringify(panning), "zooming", JSON.stringify(zooming));
  expect(panning.frames).toBeGreaterThan(10);
  // The time that the app itself takes for a frame is what it answers for; the
  // time between frames is the browser's and the machine's too.
  expect(panning.ownMost).toBeLessThan(50);
  expect(zooming.ownMedian).toBeLessThan(50);
});

test("what is too much for dots is drawn as bars, and as dots from near", async ({ page, demo }) => {
  // The server itself is asked for fewer dots than the log has contexts.
  await page.route("**/api/v1/timeline*", (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("dots", "300");
    return route.continue({ url: url.href });
  });
  const modes: string[] = [];
  page.on("response", async (response) => {
    if (!response.url().includes("/timeline")) return;
    modes.push(((await response.json()) as { mode: string }).mode);
  });
  await page.goto(demo);
  await drawn(page);
  expect(modes).toEqual(["bins"]);
  const plot = page.locator(".plot canvas");
  const box = (await plot.boundingBox())!;
  await plot.click({ position: { x: box.width * 0.2, y: 80 } });
  await expect.poll(() => modes.at(-1)).toBe("dots");
  await plot.focus();
  await page.keyboard.press("0");
  await expect(page).not.toHaveURL(/from=/);
});

test("the first useful picture comes within a second", async ({ page, demo }) => {
  await page.goto(demo);
  await drawn(page);
  await page.goto(demo);
  await drawn(page);
  const ms = await page.evaluate(() => performance.getEntriesByName("first picture")[0]?.startTime ?? NaN);
  console.log("first picture after", Math.round(ms), "ms");
  // The aim is a second; a machine that runs other things beside is given more.
  expect(ms).toBeLessThan(3000);
});
