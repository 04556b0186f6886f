// A log that is being written, and a page that nobody reloads.

import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, rows, seriousFaults, serve, test } from "./whet";

let made = 0;

/** A line of an audit log of now: somebody deletes a pod. */
function deletion(user: string, pod: string): string {
  const now = new Date();
  const at = (ms: number) => new Date(now.getTime() + ms).toISOString().replace("Z", "000Z");
  made++;
  return (
    JSON.stringify({
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: "Metadata",
      auditID: `0e4f9a1c-6d1b-4c7e-9f53-${String(made).padStart(12, "0")}`,
      stage: "ResponseComplete",
      requestURI: `/api/v1/namespaces/shop/pods/${pod}`,
      verb: "delete",
      user: { username: user },
      objectRef: { resource: "pods", namespace: "shop", name: pod, apiVersion: "v1" },
      responseStatus: { code: 200 },
      requestReceivedTimestamp: at(0),
      stageTimestamp: at(4),
    }) + "\n"
  );
}

test("contexts appear by themselves, wait while the page is paused, and come after that", async ({
  page,
}) => {
  const folder = mkdtempSync(join(tmpdir(), "whet-live-"));
  const log = join(folder, "audit.log");
  appendFileSync(log, "");
  const data = join(folder, "data");
  const server = await serve("--follow", log, "--data", data, "--checkpoint-every", "200ms", "--grace", "1s");
  try {
    await page.goto(server.url);
    await expect(page.getByText("Nothing has happened yet.")).toBeVisible();
    await expect(page.getByRole("banner").getByText("Live", { exact: true })).toBeVisible();

    appendFileSync(log, deletion("alice", "web-0"));
    await expect(rows(page).filter({ hasText: "alice" })).toContainText("delete pod shop/web-0");
    appendFileSync(log, deletion("bob", "web-1"));
    // The newest stands first.
    await expect(rows(page).first()).toContainText("bob");
    await rows(page).filter({ hasText: "bob" }).click();
    await expect(page.getByTestId("sentence")).toContainText("bob");
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Pause" }).click();
    appendFileSync(log, deletion("carol", "web-2") + deletion("dave", "web-3"));
    await expect(page.getByText("Paused, 2 new contexts")).toBeVisible();
    await expect(rows(page).filter({ hasText: "carol" })).toHaveCount(0);
    expect(await seriousFaults(page)).toEqual([]);

    await page.keyboard.press("p");
    await expect(rows(page).filter({ hasText: "carol" })).toBeVisible();
    await expect(rows(page).filter({ hasText: "dave" })).toBeVisible();
    await expect(page.getByRole("banner").getByText("Live", { exact: true })).toBeVisible();
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
});
