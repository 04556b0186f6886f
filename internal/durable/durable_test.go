package durable_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/whet-k8s/whet/internal/durable"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "state")
	for _, content := range []string{"first", "second and longer", ""} {
		if err := durable.Replace(name, durable.Bytes([]byte(content))); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || string(got) != content {
			t.Errorf("it holds %q (%v), want %q", got, err, content)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v (%v)", info.Mode(), err)
	}
	if err := durable.Sync(dir); err != nil {
		t.Error(err)
	}
}

// TestFailure wants the old file, and nothing beside it.
func TestFailure(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "state")
	if err := durable.Replace(name, durable.Bytes([]byte("old"))); err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	err := durable.Replace(name, func(w io.Writer) error {
		_, err := io.WriteString(w, "half of the n")
		return errors.Join(err, full)
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "old" {
		t.Errorf("it holds %q (%v)", got, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("%d files are left (%v)", len(list), err)
	}
	if err := durable.Replace(filepath.Join(dir, "no", "folder"), durable.Bytes(nil)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
	if err := durable.Sync(filepath.Join(dir, "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("syncing nothing: %v", err)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "durable-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "position")
	if err := durable.Replace(name, durable.Bytes([]byte("line 42"))); err != nil {
		panic(err)
	}
	if err := durable.Sync(dir); err != nil {
		panic(err)
	}
	text, _ := os.ReadFile(name)
	fmt.Printf("%s\n", text)
	// Output: line 42
}
