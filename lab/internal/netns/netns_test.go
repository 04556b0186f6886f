package netns

import (
	"net"
	"testing"
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
