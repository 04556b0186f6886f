package parts

import (
	"net"
	"testing"
	"time"
)

func TestCommandEnd(t *testing.T) {
	tests := []struct {
		command []string
		want    end
		ok      bool
	}{
		{nil, end{}, false},
		{[]string{"nginx", "-g", "daemon off;"}, end{}, false},
		{[]string{"true"}, end{}, true},
		{[]string{"false"}, end{code: 1}, true},
		{[]string{"sleep", "3"}, end{after: 3 * time.Second}, true},
		{[]string{"sleep", "0.5"}, end{after: 500 * time.Millisecond}, true},
		{[]string{"sleep", "infinity"}, end{}, false},
		{[]string{"sleep", "-1"}, end{}, false},
		{[]string{"sleep", "1", "2"}, end{}, false},
	}
	for _, tt := range tests {
		got, ok := commandEnd(tt.command)
		if got != tt.want || ok != tt.ok {
			t.Errorf("commandEnd(%q) = %v, %v; want %v, %v", tt.command, got, ok, tt.want, tt.ok)
		}
	}
}

func TestPodIPsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, node := range []string{"10.20.0.11", "10.20.0.12"} {
		for n := range 250 {
			ip := podIP(net.ParseIP(node), n)
			if seen[ip] {
				t.Fatalf("two pods have the address %s", ip)
			}
			seen[ip] = true
		}
	}
}
