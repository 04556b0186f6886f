package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/live/retain"
	"github.com/whet-k8s/whet/live/webhook"
	"github.com/whet-k8s/whet/store"
)

// TestWhole reads a configuration that has every key.
func TestWhole(t *testing.T) {
	got, err := config.Read("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(folder, name) }
	want := &config.Config{
		Data: "/var/lib/whet", Listen: "0.0.0.0:8443", Metrics: "0.0.0.0:9090", Hosts: []string{"whet.example.org", "whet"},
		TLS: auth.TLSFiles{Certificate: in("server.crt"), Key: in("server.key")}, ClientCA: in("clients.crt"),
		Clients: []auth.Client{
			{Name: "prod-apiserver", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"prod"}, CommonName: "system:apiserver", CA: in("prod.crt")},
			{Name: "alice", Roles: []auth.Role{auth.RoleRead}, TokenFile: in("alice.token")},
		},
		Clusters: []config.Cluster{
			{Name: "prod", Keep: store.KeepEvents, Policy: in("noise.yaml"), Ranker: in("ranker.safetensors"), Sources: []config.Source{{Kind: config.Webhook}}},
			{Name: "edge-1", Keep: store.KeepContexts, NoRedact: true, NoModel: true, Sources: []config.Source{
				{Kind: config.File, Path: "/var/log/kubernetes/audit.log"}, {Kind: config.Folder, Path: in("logs")}, {Kind: config.Stdin}}},
		},
		Queue: queue.Options{MaxBytes: 8 << 30, MaxAge: 48 * time.Hour, MinFree: 1e9, SyncEvery: time.Second},
		Limits: webhook.Limits{Body: 32 << 20, Ratio: 50, Memory: 128 << 20, Concurrent: 4, BodyTime: 20 * time.Second,
			WaitTime: 3 * time.Second, EventsPerSecond: 2500.5, Ahead: 10 * time.Minute},
		Every: 2 * time.Second, Grace: 40 * time.Second,
		Retention: retain.Limits{Events: retain.Limit{Age: 30 * 24 * time.Hour, Bytes: 20 << 30},
			Contexts: retain.Limit{Age: 365 * 24 * time.Hour}, Raw: retain.Limit{Bytes: 1 << 40}},
		Alerts: in("alerts.yaml"),
		Access: config.Access{File: "/var/log/whet/access.jsonl", MaxBytes: 10_000_000, Files: 3},
		Log:    config.Log{JSON: true, Level: slog.LevelWarn},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !got.Reads() {
		t.Error("alice may not read")
	}
}

// TestDocs wants every key that whole.yaml has to stand in the table of
// docs/live.md.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/live.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## The configuration")
	text, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`(\w+): `).FindAllSubmatch(text, -1)
	if len(keys) < 40 {
		t.Fatalf("%d keys alone", len(keys))
	}
	for _, m := range keys {
		key := string(m[1])
		if key != "kind" && key != "apiVersion" && !regexp.MustCompile("`([^`]*[.])?"+key+"[`:.[]").MatchString(table) {
			t.Errorf("%s is not in the table", key)
		}
	}
}

const head = "apiVersion: whet/v1\nkind: ServeConfig\n"

const small = head + "data: d\nclusters:\n- {name: a, sources: {stdin: true}}\n"

func TestDefaults(t *testing.T) {
	got, err := config.Parse("c.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != config.DefaultListen || got.Reads() || got.Clusters[0].Keep != store.KeepEvents || !filepath.IsAbs(got.Data) {
		t.Errorf("%+v", got)
	}
}

// TestMistakes wants errors that name the file, the line and the key.
func TestMistakes(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "c.yaml: the file holds no configuration"},
		{"no header", "data: d\n", `c.yaml:1: apiVersion: want whet/v1, have ""`},
		{"other kind", "apiVersion: whet/v1\nkind: NoisePolicy\n", `c.yaml:1: kind: want ServeConfig, have "NoisePolicy"`},
		{"misspelt", small + "retenton: {}\n", `c.yaml:6: "retenton": unknown field (is retention meant?); known here: apiVersion, kind, data,`},
		{"a ranker and none", head + "clusters:\n- name: a\n  sources: [stdin: true]\n  model: false\n  ranker: r\n", `c.yaml:4: clusters[0].ranker: model: false leaves the links to the rules`},
		{"misspelt below", head + "clusters:\n- name: a\n  source: {stdin: true}\n", `c.yaml:5: "clusters[0].source": unknown field (is sources meant?); known here: name, sources, policy, keep, redact, model`},
		{"misspelt kind of source", head + "clusters:\n- name: a\n  sources:\n  - files: x\n", `c.yaml:6: "clusters[0].sources[0].files": unknown field (is file meant?)`},
		{"no data", head + "clusters:\n- {name: a, sources: {stdin: true}}\n", "c.yaml:1: data: the folder of the data set is missing"},
		{"no cluster", head + "data: d\n", "c.yaml:1: clusters: there is no cluster"},
		{"no source", head + "data: d\nclusters:\n- name: a\n", "c.yaml:5: clusters[0].sources: cluster a has no source"},
		{"a slash", head + "data: d\nclusters:\n- {name: prod/eu, sources: {stdin: true}}\n", `c.yaml:5: clusters[0].name: the cluster's name "prod/eu" is no name`},
		{"two dots", head + "data: d\nclusters:\n- {name: .., sources: {stdin: true}}\n", `c.yaml:5: clusters[0].name: ".." is no name`},
		{"long name", head + "clusters:\n- {name: " + strings.Repeat("a", 65) + ", sources: {stdin: true}}\n", "c.yaml:4: clusters[0].name: the cluster's name"},
		{"twice", small + "- {name: a, sources: {file: x}}\n", "c.yaml:6: clusters[1]: two clusters are named a"},
		{"same file", head + "data: d\nclusters:\n- {name: a, sources: {file: x}}\n- name: b\n  sources:\n  - file: ./x\n", "c.yaml:8: clusters[1].sources[0]: cluster a has the same source"},
		{"nobody sends", head + "data: d\nclusters:\n- name: a\n  sources: [{webhook: true}]\n", "c.yaml:6: clusters[0].sources[0]: no client may send events of cluster a"},
		{"webhook off", head + "clusters:\n- name: a\n  sources: [{webhook: false}]\n", "c.yaml:5: clusters[0].sources[0].webhook: leave the source out instead"},
		{"two kinds", head + "clusters:\n- name: a\n  sources: [{stdin: true, file: x}]\n", "c.yaml:5: clusters[0].sources[0]: a source is one of webhook, file, folder and stdin, and here are 2"},
		{"keep all", head + "clusters:\n- name: a\n  keep: all\n", "c.yaml:5: clusters[0].keep: live mode keeps events or contexts"},
		{"unknown cluster", small + "clients:\n- {name: x, roles: ingest, clusters: b, tokenFile: t}\n", `c.yaml:7: clients[0]: client x sends events of cluster "b", which has no webhook`},
		{"certificate without TLS", small + "clients:\n- {name: x, roles: read, commonName: x}\n", "c.yaml:7: clients[0]: client x has a certificate, which needs TLS"},
		{"half of TLS", small + "tls: {certificate: x}\n", "c.yaml:6: tls: TLS needs both certificate and key"},
		{"open to all", small + "listen: 0.0.0.0:80\n", "c.yaml:6: listen: 0.0.0.0:80 can be reached by others, and nobody may read"},
		{"open to senders", small + "listen: 0.0.0.0:80\nclients: {name: x, roles: ingest, clusters: '*', tokenFile: t}\n", "c.yaml:6: listen: 0.0.0.0:80 can be reached by others, and nobody may read"},
		{"misspelt role", small + "clients:\n- {name: x, roles: [reed], tokenFile: t}\n", `c.yaml:7: clients[0]: client x: unknown role "reed": want ingest or read`},
		{"no credential", small + "clients:\n- {name: x, roles: read}\n", "c.yaml:7: clients[0]: client x has no credential"},
		{"no authority", small + "tls: {certificate: c, key: k}\nclients:\n- {name: x, roles: read, commonName: x}\n", "c.yaml:8: clients[0]: client x has a certificate, which needs an authority"},
		{"the same client", small + "clients:\n- {name: x, roles: read, tokenFile: t}\n- {name: x, roles: read, tokenFile: u}\n", "c.yaml:8: clients[1]: two clients are named x"},
		{"no rate", small + "limits: {eventsPerSecond: NaN}\n", "c.yaml:6: limits.eventsPerSecond: want a number above 0"},
		{"an endless rate", small + "limits: {eventsPerSecond: Inf}\n", "c.yaml:6: limits.eventsPerSecond: want a number above 0"},
		{"address of metrics", small + "metrics: {listen: 9090}\n", `c.yaml:6: metrics.listen: listen address "9090"`},
		{"no address", small + "listen: here\nclients: {name: x, roles: read, tokenFile: t}\n", `c.yaml:6: listen: listen address "here"`},
		{"size", small + "queue: {maxBytes: lots}\n", `c.yaml:6: queue.maxBytes: want a size such as 512MiB or 4GiB, have "lots"`},
		{"negative size", small + "queue: {maxBytes: -1GiB}\n", "c.yaml:6: queue.maxBytes: want a size"},
		{"size beyond all", small + "queue: {maxBytes: 1e30}\n", "c.yaml:6: queue.maxBytes: want a size"},
		{"no size", small + "queue: {maxBytes: NaN}\n", "c.yaml:6: queue.maxBytes: want a size"},
		{"time", small + "retention:\n  events: {age: forever}\n", `c.yaml:7: retention.events.age: want a time such as 5s, 24h or 30d, have "forever"`},
		{"count", small + "limits: {concurrent: 0}\n", `c.yaml:6: limits.concurrent: want a number above 0, have "0"`},
		{"level", small + "log: {level: loud}\n", "c.yaml:6: log.level: there are debug, info, warn and error"},
		{"no path", small + "alerts: ''\n", "c.yaml:6: alerts: want a path"},
		{"no YAML", head + "clusters: [\n", "c.yaml:3: not valid YAML"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Parse("c.yaml", []byte(tt.text))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := config.Read("testdata/none.yaml"); err == nil || !strings.Contains(err.Error(), "testdata/none.yaml") {
		t.Errorf("no file: %v", err)
	}
}

// TestSettings makes a configuration by keys alone, and changes one that a file
// has.
func TestSettings(t *testing.T) {
	set := func(list ...string) (settings []config.Setting) {
		for _, s := range list {
			key, value, _ := strings.Cut(s, "=")
			settings = append(settings, config.Setting{By: "--set " + key, Key: key, Value: value})
		}
		return settings
	}
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.Make(set("data=d", "clusters[0].name=a", "clusters[0].sources[]={file: x}", "clusters[0].sources[]={stdin: true}",
		"clusters[].name=b", "clusters[1].sources={webhook: true}", "clients[]={name: x, roles: ingest, clusters: b, tokenFile: t}",
		"queue.syncEvery=0", "limits.body=32MiB", "log.format=json", "listen=127.0.0.1:1")...)
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Data: filepath.Join(here, "d"), Listen: "127.0.0.1:1", Limits: webhook.Limits{Body: 32 << 20}, Log: config.Log{JSON: true},
		Clients: []auth.Client{{Name: "x", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"b"}, TokenFile: filepath.Join(here, "t")}},
		Clusters: []config.Cluster{
			{Name: "a", Keep: store.KeepEvents, Sources: []config.Source{{Kind: config.File, Path: filepath.Join(here, "x")}, {Kind: config.Stdin}}},
			{Name: "b", Keep: store.KeepEvents, Sources: []config.Source{{Kind: config.Webhook}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	got, err = config.Parse("/etc/whet/c.yaml", []byte(small), set("clusters[0].policy=p", "clusters[0].name=z", "retention.raw.bytes=1GiB")...)
	if err != nil || got.Data != "/etc/whet/d" || got.Clusters[0].Name != "z" || got.Clusters[0].Policy != filepath.Join(here, "p") || got.Retention.Raw.Bytes != 1<<30 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, tt := range []struct{ set, want string }{
		{"limits.body=lots", `--set limits.body: want a size such as 512MiB or 4GiB, have "lots"`},
		{"limit.body=1", `--set limit.body: "limit": unknown field (is limits meant?)`},
		{"clusters[0].keep=all", "--set clusters[0].keep: live mode keeps events or contexts"},
		{"clusters[]={name: a, sources: {stdin: true}}", "--set clusters[]: two clusters are named a"},
		{"listen=0.0.0.0:80", "--set listen: 0.0.0.0:80 can be reached by others"},
		{"clients[]={name: x, roles: reed, tokenFile: t}", "--set clients[]: client x: unknown role"},
		{"data=", "--set data: want a path"},
	} {
		if _, err := config.Parse("c.yaml", []byte(small), set(tt.set)...); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %s", tt.set, err, tt.want)
		}
	}
	if _, err := config.Make(set("data=d")...); err == nil || err.Error() != "clusters: there is no cluster: name one, with its sources" {
		t.Errorf("no cluster: %v", err)
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "512MiB": 512 << 20, "4 GB": 4e9, "1.5Ki": 1536, "2kB": 2000} {
		if got, err := config.ParseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "30d": 720 * time.Hour, "0.5d": 12 * time.Hour, "1h30m": 90 * time.Minute} {
		if got, err := config.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// FuzzParse wants no text to end the program, and errors that name the file.
func FuzzParse(f *testing.F) {
	whole, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole))
	f.Add(small)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse("c.yaml", []byte(text))
		if err != nil && !strings.HasPrefix(err.Error(), "c.yaml:") {
			t.Error(err)
		}
		if err == nil && c.Check() != nil {
			t.Errorf("taken, but %v", c.Check())
		}
	})
}
