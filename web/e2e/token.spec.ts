// A server that asks for a token.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEMO, drawn, expect, forgive, serve, test } from "./whet";

const TOKEN = "correct-horse-battery-staple-0123456789";

test("the token is asked for once, and a wrong one is refused", async ({ page, complaints }) => {
  const folder = mkdtempSync(join(tmpdir(), "whet-token-"));
  const file = join(folder, "token");
  writeFileSync(file, TOKEN + "\n", { mode: 0o600 });
  const server = await serve("--token-file", file, DEMO);
  try {
    await page.goto(server.url);
    const field = page.getByLabel("Token");
    await field.fill("wrong");
    await page.getByRole("button", { name: "Open" }).click();
    await expect(page.getByRole("alert")).toBeVisible();
    await field.fill(TOKEN);
    await page.getByRole("button", { name: "Open" }).click();
    await drawn(page);
    expect(page.url()).not.toContain(TOKEN);
    await page.reload();
    await drawn(page);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
  // What the browser itself writes down of answers that refuse.
  forgive(complaints, "401");
});
