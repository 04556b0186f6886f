package noise_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/noise"
)

// truth is one line of a recording's truth.
type truth struct {
	Role     string
	Resource string
}

func readTruth(t *testing.T, name string) []truth {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var lines []truth
	for dec := json.NewDecoder(z); ; {
		var line truth
		if err := dec.Decode(&line); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
}

// The default policy never drops an event for a resource that a command made
// or caused, never sets a command's principal request aside, and finds most of
// what is background in truth.
func TestDefaultOnRecordings(t *testing.T) {
	policy := noise.Default()
	for _, recording := range []string{"day", "crowd"} {
		t.Run(recording, func(t *testing.T) {
			prefix := "../recordings/" + recording
			lines := readTruth(t, prefix+".truth.jsonl.zst")
			reader, err := audit.Open([]string{prefix + ".metadata.jsonl.zst"}, audit.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			var d audit.Decoder
			background, found, seen := 0, 0, 0
			for {
				chunk, err := reader.Next(context.Background())
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				batch := d.DecodeChunk(chunk)
				for i := range batch.Events {
					ev := &batch.Events[i]
					seen++
					is, said := lines[ev.Position.Line-1], policy.Decide(ev)
					switch {
					case is.Resource == "" || is.Role == "unscored":
					case is.Role == "background":
						background++
						if said.Action != noise.Keep {
							found++
						}
					case said.Action == noise.Drop, is.Role == "root" && said.Action != noise.Keep:
						t.Errorf("line %d: the %s %s %s is taken for noise by %s", ev.Position.Line, is.Role, ev.Verb, ev.RequestURI, said.Rule)
					}
				}
			}
			if seen != len(lines) {
				t.Fatalf("%d events for %d lines of truth", seen, len(lines))
			}
			t.Logf("%d of %d background events found by rule", found, background)
			if found*100 < background*99 {
				t.Errorf("the rules find %d of %d background events, less than 99 %%", found, background)
			}
		})
	}
}
