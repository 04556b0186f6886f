package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"testing"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// FuzzRestore gives Restore states whose sum is right and whose content is
// not: it must refuse them, or give a linker that goes on without a panic.
func FuzzRestore(f *testing.F) {
	whole := snapshotOf(f, 20)
	state := func(b []byte) []byte { return b[len(snapshotMagic)+1 : len(b)-4] }
	f.Add(state(whole))
	f.Add(state(snapshotOf(f, 1)))
	f.Add([]byte{})
	more := recording(f, "crowd.audit")[1020:1040]
	f.Fuzz(func(t *testing.T, data []byte) {
		b := append([]byte(snapshotMagic), snapshotVersion)
		b = append(b, data...)
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
		l, err := Restore(bytes.NewReader(b), Options{}, func(Assignment) {}, nil)
		if err != nil {
			return
		}
		for _, ev := range more {
			l.Add(ev, 0)
		}
		l.Advance(more[len(more)-1].StageTime.Add(time.Minute))
		if err := l.Snapshot(io.Discard); err != nil {
			t.Fatal(err)
		}
		l.Close()
	})
}

// BenchmarkSnapshot saves and restores a state as large as it gets: 200,000
// objects and 50,000 events that wait.
func BenchmarkSnapshot(b *testing.B) {
	l := large()
	var state bytes.Buffer
	if err := l.Snapshot(&state); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d objects, %d events that wait, %d bytes", len(l.index.byKey), len(l.window.heap), state.Len())
	b.Run("save", func(b *testing.B) {
		b.SetBytes(int64(state.Len()))
		for b.Loop() {
			if err := l.Snapshot(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("restore", func(b *testing.B) {
		b.SetBytes(int64(state.Len()))
		for b.Loop() {
			if _, err := Restore(bytes.NewReader(state.Bytes()), Options{}, func(Assignment) {}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// large gives a linker that is full.
func large() *Linker {
	const objects, waiting = 200_000, 50_000
	l := New(Options{MaxWaitingBytes: 1 << 40}, func(Assignment) {}, nil)
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	// As those of events that were decoded, the lists and maps that repeat are
	// shared.
	groups, addresses := []string{"system:serviceaccounts", "system:authenticated"}, []string{"10.0.0.7"}
	annotations := map[string]string{"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC"}
	labels := map[string]string{"app": "app", "pod-template-hash": "7d4b9c"}
	for i := range objects + waiting {
		at := start.Add(time.Duration(i) * 10 * time.Millisecond)
		if i >= objects {
			at = start.Add(objects*10*time.Millisecond + time.Duration(i)*10*time.Microsecond)
		}
		name := fmt.Sprintf("app-%d-7d4b9c%04x", i/10, i%10)
		l.Add(&audit.Event{
			AuditID: fmt.Sprintf("%08x-4a7b-4c1d-9e2f-%012x", i, i), Stage: audit.StageResponseComplete, Level: audit.LevelRequestResponse,
			RequestURI: fmt.Sprintf("/api/v1/namespaces/ns-%d/pods/%s", i%500, name), Verb: "create", HasObject: true,
			User:      audit.User{Username: "system:serviceaccount:kube-system:replicaset-controller", Groups: groups},
			SourceIPs: addresses, UserAgent: "kube-controller-manager/v1.37.2",
			Object:          audit.ObjectRef{Resource: "pods", Namespace: fmt.Sprintf("ns-%d", i%500), Name: name, APIVersion: "v1"},
			Status:          audit.Status{Code: 201},
			RequestReceived: at, StageTime: at.Add(3 * time.Millisecond),
			Annotations: annotations,
			Response: &audit.Body{Kind: "Pod", APIVersion: "v1", Name: name, UID: fmt.Sprintf("%08x-9e2f-4c1d-4a7b-%012x", i, i),
				Labels: labels, Pod: audit.PodRefs{ServiceAccount: "default", ConfigMaps: []string{"kube-root-ca.crt"}}},
		}, uint64(i))
	}
	return l
}
