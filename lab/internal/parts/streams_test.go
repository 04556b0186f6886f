package parts

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/utils/exec"
)

// buffer is an output that can be closed.
type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

func TestExec(t *testing.T) {
	tests := []struct {
		command []string
		printed string
		status  int
	}{
		{[]string{"id", "-u"}, "id -u\n", 0},
		{[]string{"true"}, "", 0},
		{[]string{"false"}, "", 1},
		{[]string{"sleep", "0.01"}, "", 0},
	}
	for _, tt := range tests {
		var out buffer
		err := simulatedStreams{}.Exec(context.Background(), "id", tt.command, nil, &out, nil, false, nil)
		status := 0
		var exit exec.ExitError
		if errors.As(err, &exit) {
			status = exit.ExitStatus()
		} else if err != nil {
			t.Errorf("%q: %v", tt.command, err)
		}
		if out.String() != tt.printed || status != tt.status {
			t.Errorf("%q prints %q and ends with %d; want %q and %d", tt.command, out.String(), status, tt.printed, tt.status)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := (simulatedStreams{}).Exec(ctx, "id", []string{"sleep", "60"}, nil, nil, nil, false, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that went leaves %v", err)
	}
}

func TestStreamsHaveURLs(t *testing.T) {
	fake, err := newFakeRuntime("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := fake.runtime.Exec(context.Background(), &runtimeapi.ExecRequest{ContainerId: "c", Cmd: []string{"id"}, Stdout: true})
	if err != nil || answer.Url == "" {
		t.Errorf("Exec gives %v, %v", answer, err)
	}
}

func TestWriteLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pod", "c", "0.log")
	if err := writeLog(path, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := "2026-11-23T12:00:00Z stdout F ready\n"; err != nil || string(got) != want {
		t.Errorf("the log is %q, %v; want %q", got, err, want)
	}
}
