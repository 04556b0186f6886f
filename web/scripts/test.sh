#!/usr/bin/env bash
# Runs every test of the web app. It finds or installs Chromium; where neither
# Node nor a browser can be had it says so and leaves the tests out, but never
# in CI.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
  echo "web tests left out: $1" >&2
  [[ "${CI:-}" == "true" ]] && exit 1
  exit 0
}

command -v node >/dev/null || skip "there is no node; Node 20.19 or later runs them"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  skip "node $(node --version) is too old; they need 20.19 or later"
if [[ ! -e node_modules/.package-lock.json || package-lock.json -nt node_modules/.package-lock.json ]]; then
  npm ci || skip "npm could not install what they need"
fi

npm run --silent api:fresh
npm run --silent check
npm run --silent lint
npm run --silent test
node scripts/fresh.mjs

find_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [[ -n "$name" ]] && command -v "$name" && return
  done
  return 1
}
if ! CHROMIUM=$(find_chromium); then
  if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium || true
  fi
  if ! CHROMIUM=$(find_chromium); then
    npx playwright install chromium || true
    CHROMIUM=$(node -e 'process.stdout.write(require("@playwright/test").chromium.executablePath())')
    [[ -x "$CHROMIUM" ]] || skip "there is no Chromium, and none could be installed"
  fi
fi
export CHROMIUM
npm run --silent e2e
