import { defineConfig } from "@playwright/test";

// The tests drive the browser of the system; nothing is downloaded. The flags
// keep it from asking the network for anything of its own.
export default defineConfig({
  testDir: "e2e",
  // The pictures of docs/web.md are taken on request, and so is the time that a
  // large data set takes.
  testIgnore: [
    ...(process.env["SHOTS"] === "1" ? [] : ["shots.spec.ts"]),
    ...(process.env["MILLION"] === undefined ? ["million.spec.ts"] : []),
  ],
  timeout: 90_000,
  expect: { timeout: 15_000 },
  workers: 1,
  forbidOnly: process.env["CI"] === "true",
  reporter: "list",
  use: {
    actionTimeout: 15_000,
    viewport: { width: 1366, height: 768 },
    timezoneId: "UTC",
    permissions: ["clipboard-read", "clipboard-write"],
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
