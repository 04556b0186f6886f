// Builds the app into a temporary folder and compares it with web/dist, file by
// file; the names of built files hold a hash of what is in them.
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

const sums = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [
        file.slice(folder.length + 1),
        createHash("sha256").update(readFileSync(file)).digest("hex"),
      ]),
  );

const outDir = mkdtempSync(join(tmpdir(), "whet-web-"));
try {
  await build({ logLevel: "error", build: { outDir, emptyOutDir: true } });
  const now = sums(outDir);
  const committed = sums("dist");
  const stale = [...new Set([...now.keys(), ...committed.keys()])].filter(
    (name) => now.get(name) !== committed.get(name),
  );
  if (stale.length > 0) {
    console.error(`web/dist is not what web/src gives: run make web and commit it.\n  ${stale.join("\n  ")}`);
    process.exitCode = 1;
  } else {
    console.log("web/dist is fresh");
  }
} finally {
  rmSync(outDir, { recursive: true });
}
