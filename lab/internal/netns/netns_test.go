package netns

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"testing"
	"time"
)

func TestAddressesDiffer(t *testing.T) {
	p := Plan{Isolated: true}
	seen := map[string]bool{}
	for i := range 80 {
		seen[p.Node(i)] = true
	}
	for i := range 150 {
		seen[p.Client(i)] = true
	}
	if len(seen) != 230 {
		t.Errorf("80 nodes and 150 clients have %d addresses", len(seen))
	}
	known := map[string]bool{}
	for _, a := range p.Addresses() {
		known[a] = true
	}
	for a := range seen {
		if !known[a] {
			t.Errorf("the server's certificate would not hold %s", a)
		}
		if ip := net.ParseIP(a); ip == nil || !ip.IsPrivate() {
			t.Errorf("%s is no private address", a)
		}
	}
}

func TestWithoutNamespaceAllIsLoopback(t *testing.T) {
	p, why, err := Enter(false)
	if err != nil || why == "" || p.Isolated {
		t.Fatalf("got %+v, %q, %v", p, why, err)
	}
	for _, a := range append(p.Addresses(), p.Node(3), p.Client(7), p.Listen) {
		if !net.ParseIP(a).IsLoopback() {
			t.Errorf("%s is not loopback", a)
		}
	}
	if net.ParseIP(p.Advertise).IsLoopback() {
		t.Error("Kubernetes refuses to advertise a loopback address")
	}
}

// inner makes the test binary the program that enters a network of its own.
const inner = "LAB_TEST_ENTER"

func TestMain(m *testing.M) {
	if os.Getenv(inner) == "" {
		os.Exit(m.Run())
	}
	plan, why, err := Enter(true)
	if err != nil || !plan.Isolated {
		fmt.Println("no network:", why, err)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Println("ready")
	select {
	case <-ctx.Done():
		fmt.Println("interrupted")
	case <-time.After(20 * time.Second):
	}
}

// A script sends an interrupt to the one process it knows, and what a script
// starts in the background ignores interrupts unless it asks for them.
func TestAnInterruptReachesTheInnerProcess(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", `trap "" INT; exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), inner+"=yes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if lines.Scan(); lines.Text() != "ready" {
		_ = cmd.Wait()
		t.Skip(lines.Text())
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if lines.Scan(); lines.Text() != "interrupted" {
		t.Errorf("the inner process says %q; want interrupted", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
