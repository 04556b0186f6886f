package service

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/live/config"
)

// TestTrailRotates wants the newest lines in so many files, none larger than it
// may be, also after it was opened again.
func TestTrailRotates(t *testing.T) {
	for files := 1; files <= 3; files++ {
		name := filepath.Join(t.TempDir(), "access.jsonl")
		o := config.Access{File: name, MaxBytes: 1000, Files: files}
		var tr *trail
		const lines = 60
		for i := range lines {
			if i%7 == 0 {
				if tr != nil {
					if err := tr.close(); err != nil {
						t.Fatal(err)
					}
				}
				var err error
				if tr, err = openTrail(o, "unused"); err != nil {
					t.Fatal(err)
				}
			}
			tr.write(&access{Client: fmt.Sprint("client-", i), Path: "/api/v1/\u202einfo"})
			if err := tr.failed(); err != nil {
				t.Fatal(err)
			}
		}
		if err := tr.close(); err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(name + "*")
		if err != nil || len(found) != files {
			t.Fatalf("%v, want %d", found, files)
		}
		next := lines
		for i := range files {
			from := name
			if i > 0 {
				from = fmt.Sprintf("%s.%d", name, i)
			}
			text, err := os.ReadFile(from)
			if err != nil || len(text) > 1000 || strings.Contains(string(text), "\u202e") {
				t.Fatalf("%s: %d bytes, %v", from, len(text), err)
			}
			all := strings.Split(strings.TrimSpace(string(text)), "\n")
			for j := range all {
				next--
				if want := fmt.Sprintf(`"client-%d"`, next); !strings.Contains(all[len(all)-1-j], want) {
					t.Fatalf("%s: %s, want %s", from, all[len(all)-1-j], want)
				}
			}
		}
	}
}

// TestTrailFails wants a line that cannot be written to be known, until one is.
func TestTrailFails(t *testing.T) {
	dir := t.TempDir()
	if _, err := openTrail(config.Access{MaxBytes: 1}, filepath.Join(dir, "sub", "access.jsonl")); err == nil {
		t.Fatal("opened in a folder that is not there")
	}
	name := filepath.Join(dir, "access.jsonl")
	tr, err := openTrail(config.Access{MaxBytes: 1, Files: 1}, name)
	if err != nil {
		t.Fatal(err)
	}
	tr.write(&access{})
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(name, "full"), "x")
	tr.write(&access{})
	if tr.failed() == nil {
		t.Error("a line was written into a folder")
	}
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
	tr.write(&access{})
	if err := tr.failed(); err != nil {
		t.Error(err)
	}
}
