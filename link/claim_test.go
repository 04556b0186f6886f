package link

import (
	"testing"

	"github.com/whet-k8s/whet/audit"
)

// TestReported wants the Event that a client recorded first after a request,
// about the object in question, and no other.
func TestReported(t *testing.T) {
	const base = 1_700_000_000 * second
	controller, other := &actor{username: "rs", class: classControlPlane}, &actor{username: "other", class: classControlPlane}
	n := newPodNames()
	for i, e := range []struct {
		by   *actor
		name string
	}{
		{controller, "web-1.17979cfe4215c200"},                               // recorded 200 ms after base
		{controller, "web-1.17979cfe3c109ec0"},                               // 99 ms
		{controller, "api-1.17979cfe362d0d40"},                               // 0.2 ms
		{other, "web-1.17979cfe36c29680"},                                    // 10 ms, by another
		{controller, "web-1.not-a-number"},                                   // at no time
		{controller, "web-1"},                                                // no dot
		{controller, "web-1.ffffffffffffffffff"},                             // no time of this world
		{&actor{username: "rs", class: classNode}, "web-1.17979cfe36c29680"}, // by a kubelet
	} {
		ev := &audit.Event{Verb: "create"}
		ev.Object.Resource, ev.Object.Namespace, ev.Object.Name = "events", "shop", e.name
		n.observeReport(&item{event: ev, received: base + second + micros(i)}, e.by)
	}
	r := &request{event: new(audit.Event), actor: controller, received: base - 5000, done: base}
	r.event.Object.Namespace = "shop"
	for name, want := range map[string]micros{"web-1": 99_000, "api-1": 200, "db-1": NoAge} {
		if _, got := n.reported(r, name); got != want {
			t.Errorf("%s: %d microseconds after the request, want %d", name, got, want)
		}
	}
	r.object = &object{owners: []*object{{key: objectKey{name: "web-1"}}}}
	n.used(r)
	if _, got := n.reported(r, "web-1"); got != 200_000 {
		t.Errorf("after the first was used: %d microseconds after the request, want 200000", got)
	}
	r.done += 60 * second
	if _, got := n.reported(r, "web-1"); got != NoAge {
		t.Errorf("of a request after all Events: %d, want none", got)
	}
}
