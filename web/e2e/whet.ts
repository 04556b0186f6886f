// What the tests share: a real server for each log, and a page that must not
// complain.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";

const ROOT = resolve(import.meta.dirname, "../..");
export const DEMO = resolve(ROOT, "recordings/day.audit.jsonl.zst");

interface Server {
  url: string;
  stop: () => Promise<void>;
}

/** Starts whet serve on a log, or with flags alone, on a port of its own choice. */
export async function serve(...log: string[]): Promise<Server> {
  const program = process.env["WHET_BIN"] ?? resolve(ROOT, "bin/whet");
  const child = spawn(program, ["serve", "--listen", "127.0.0.1:0", ...log], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((done) =>
    child.once("exit", () => {
      done();
    }),
  );
  let said = "";
  const url = await new Promise<string>((found, failed) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString();
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (match) found(match[0]);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("error", failed);
    child.once("exit", (code) => {
      failed(new Error(`whet serve ended with ${code ?? "a signal"}: ${said}`));
    });
  });
  return {
    url,
    stop: async () => {
      child.kill("SIGINT");
      await ended;
    },
  };
}

interface Fixtures {
  /** What the page complained of; a test fails when that is anything. */
  complaints: string[];
}
interface WorkerFixtures {
  /** The address of a server with the demo's log. */
  demo: string;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  demo: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const server = await serve(DEMO);
      await use(server.url);
      await server.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on("pageerror", (err) => complaints.push(err.message));
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      page.on("request", (request) => {
        const { protocol, hostname } = new URL(request.url());
        if (protocol.startsWith("http") && hostname !== "127.0.0.1")
          complaints.push("asked " + request.url());
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

const AXE = readFileSync(resolve(import.meta.dirname, "../node_modules/axe-core/axe.min.js"), "utf8");

/** What axe finds that is serious or critical. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Axe {
      run: (options: object) => Promise<{
        violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
      }>;
    }
    const { axe } = window as unknown as { axe: Axe };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations
      .filter((v) => v.impact === "serious" || v.impact === "critical")
      .flatMap((v) =>
        v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} ${n.failureSummary.slice(0, 300)}`),
      );
  });
}

/** The rows of the list of contexts. */
export const rows = (page: Page) => page.getByRole("table", { name: "Contexts" }).getByRole("cell");

/** Waits until the timeline has been drawn. */
export async function drawn(page: Page): Promise<void> {
  await page.waitForFunction(
    () => ((window as unknown as { whetFrames?: number[] }).whetFrames?.length ?? 0) > 0,
  );
  await expect(rows(page).first()).toBeVisible();
}

/** Opens the only context with an action, by asking for it. */
export async function open(page: Page, demo: string, action: string): Promise<void> {
  await page.goto(`${demo}/?q=${encodeURIComponent(`action == ${JSON.stringify(action)}`)}`);
  await drawn(page);
  await rows(page).first().click();
  await expect(page.getByTestId("sentence")).toBeVisible();
}

export const DEPLOY = "set image of deployment data/web-api to nginx:1.28";

/** Whether a server keeps the lines of the log as they were. */
export async function keepsRaw(url: string): Promise<boolean> {
  const info = (await (await fetch(url + "/api/v1/info")).json()) as { raw: boolean };
  return info.raw;
}

/** Takes back what a browser writes down by itself of an answer with a status. */
export function forgive(complaints: string[], status: string): void {
  complaints.splice(0, complaints.length, ...complaints.filter((c) => !c.includes(`status of ${status}`)));
}
