//go:build unix

package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/whet-k8s/whet/internal/filelock"
)

func open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestOneOrMany(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	first, second, third := open(t, name), open(t, name), open(t, name)
	if err := filelock.Shared(first); err != nil {
		t.Fatal(err)
	}
	if err := filelock.Shared(second); err != nil {
		t.Errorf("a second of many: %v", err)
	}
	if err := filelock.Exclusive(third); !errors.Is(err, filelock.ErrLocked) {
		t.Errorf("one beside many: %v, want ErrLocked", err)
	}
	if err := errors.Join(filelock.Close(first), filelock.Close(second)); err != nil {
		t.Error(err)
	}
	if err := filelock.Exclusive(third); err != nil {
		t.Errorf("one after many: %v", err)
	}
	if err := filelock.Exclusive(open(t, name)); !errors.Is(err, filelock.ErrLocked) {
		t.Errorf("one beside one: %v, want ErrLocked", err)
	}
}

// TestCloseWhileForking wants a lock to be free once it is let go of, although
// a process that is being started still has the file open, as it does from its
// fork until it runs its program.
func TestCloseWhileForking(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	f := open(t, name)
	if err := filelock.Exclusive(f); err != nil {
		t.Fatal(err)
	}
	inherited, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(inherited) }()
	if err := filelock.Close(f); err != nil {
		t.Error(err)
	}
	if err := filelock.Exclusive(open(t, name)); err != nil {
		t.Errorf("after it was let go of: %v", err)
	}
	if err := filelock.Close(f); err == nil {
		t.Error("closing twice is no error")
	}
}
