// Fails when src/api/schema.d.ts is not what server/openapi.yaml gives.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "whet-api-"));
const file = join(folder, "schema.d.ts");
try {
  execFileSync("npx", ["openapi-typescript", "../server/openapi.yaml", "--root-types", "-o", file], {
    stdio: "ignore",
  });
  execFileSync("npx", ["prettier", "--config", ".prettierrc", "--write", file], { stdio: "ignore" });
  if (readFileSync(file, "utf8") !== readFileSync("src/api/schema.d.ts", "utf8")) {
    console.error("src/api/schema.d.ts is not what server/openapi.yaml gives: run npm run api.");
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
