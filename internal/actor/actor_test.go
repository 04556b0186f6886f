package actor

import "testing"

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		username, short, component string
		kind                       Kind
	}{
		{"alice", "alice", "alice", Person},
		{"", "(nobody)", "(nobody)", Person},
		{"system:admin", "system:admin", "admin", Person},
		{"system:anonymous", "system:anonymous", "anonymous", Person},
		{"system:node:worker1", "kubelet worker1", "kubelet", Component},
		{"system:kube-scheduler", "system:kube-scheduler", "kube-scheduler", Component},
		{"system:serviceaccount:ci:deployer", "ci/deployer", "ci/deployer", ServiceAccount},
		{"system:serviceaccount:kube-system:replicaset-controller", "replicaset-controller", "replicaset-controller", Component},
		{"system:serviceaccount:kube-systemd:x", "kube-systemd/x", "kube-systemd/x", ServiceAccount},
		{"systemic", "systemic", "systemic", Person},
	} {
		if got := Short(tt.username); got != tt.short {
			t.Errorf("Short(%q) = %q, want %q", tt.username, got, tt.short)
		}
		if got := ComponentOf(tt.username); got != tt.component {
			t.Errorf("ComponentOf(%q) = %q, want %q", tt.username, got, tt.component)
		}
		if got := KindOf(tt.username); got != tt.kind {
			t.Errorf("KindOf(%q) = %q, want %q", tt.username, got, tt.kind)
		}
	}
}
