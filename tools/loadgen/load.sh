#!/usr/bin/env bash
# Sends RATE events a second over TLS for DURATION to a whet serve of its own,
# tells every half minute how much memory that takes, and whether what was
# acknowledged is stored. Needs openssl, curl and some GB of disk.
set -euo pipefail
cd "$(dirname "$0")/../.."
RATE=${RATE:-20000} DURATION=${DURATION:-10m} KEEP=${KEEP:-events}
RECORDING=${RECORDING:-recordings/day.metadata.jsonl.zst}
EVERY=${EVERY:-1s}

dir=$(mktemp -d)
server=
finish() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$dir"
}
trap finish EXIT

go build -o "$dir/loadgen" ./tools/loadgen
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$dir/server.key" -out "$dir/server.crt" 2>/dev/null
openssl rand -hex 32 > "$dir/send"
openssl rand -hex 32 > "$dir/read"
chmod 600 "$dir"/send "$dir"/read "$dir/server.key"
cat > "$dir/whet.yaml" <<YAML
apiVersion: whet/v1
kind: ServeConfig
data: data
listen: 127.0.0.1:${PORT:-8943}
tls: {certificate: server.crt, key: server.key}
clients:
- {name: send, roles: [ingest], clusters: [prod], tokenFile: send}
- {name: read, roles: [read], tokenFile: read}
clusters:
- name: prod
  keep: $KEEP
  sources: [{webhook: true}]
checkpoint: {every: $EVERY}
YAML
bin/whet serve --config "$dir/whet.yaml" > "$dir/log" 2>&1 &
server=$!
url=https://localhost:${PORT:-8943}
get() { curl -sS --cacert "$dir/server.crt" -H "Authorization: Bearer $(cat "$dir/read")" "$url$1"; }
metric() { get /metrics | awk -v name="whet_$1" 'index($0, name "{") == 1 { sum += $NF } END { printf "%.1f", sum }'; }
for _ in $(seq 100); do get /readyz > /dev/null 2>&1 && break; sleep 0.1; done

"$dir/loadgen" send --url "$url/ingest/prod" --ca "$dir/server.crt" --token-file "$dir/send" \
  --rate "$RATE" --duration "$DURATION" --batch 2000 --acked "$dir/acked" "$RECORDING" > "$dir/report" &
sender=$!
begun=$SECONDS
memory() { awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status"; }
row() {
  printf '%5d s  memory %5s MiB  analysed %11s events  behind %5s s  state %5.1f MiB\n' $((SECONDS - begun)) "$(memory)" \
    "$(metric events_analysed_total)" "$(metric lag_seconds)" "$(metric state_bytes | awk '{ print $1 / 1048576 }')"
}
while kill -0 "$sender" 2>/dev/null; do
  (((SECONDS - begun) % 30 == 29)) && { row; }
  sleep 1
done
wait "$sender" || { cat "$dir/report" "$dir/log"; exit 1; }
row
# Time goes on without events after checkpoint.grace, until all is decided about.
for _ in $(seq 30); do "$dir/loadgen" check --acked "$dir/acked" "$dir/data" > "$dir/check" 2>&1 && break; sleep 10; done
row
cat "$dir/report"
awk '/^VmHWM/ { printf "memory        at most %.0f MiB\n", $2 / 1024 }' "/proc/$server/status"
awk '{ printf "CPU           %.0f s of the server\n", ($14 + $15) / 100 }' "/proc/$server/stat"
kill "$server"; wait "$server" || true
server=
du -sm "$dir/data" | awk '{ printf "data set      %d MB\n", $1 }'
cat "$dir/check"
grep -c 'level=\(WARN\|ERROR\)' "$dir/log" | sed 's/^/warnings      /' || true
grep 'level=\(WARN\|ERROR\)' "$dir/log" | cut -c1-300 | head -5 || true
