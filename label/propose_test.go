package label

import (
	"fmt"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/audit"
)

func TestProposalsOfRecordings(t *testing.T) {
	c := New(Options{})
	var b strings.Builder
	for _, ev := range recorded(t) {
		if ev.Level == audit.LevelMetadata {
			continue
		}
		fmt.Fprintf(&b, "%s: %d\n", Sentence(ev), ev.Status.Code)
		for _, p := range c.ProposeEvent(ev) {
			fmt.Fprintf(&b, "\t%d\t%s\t%s\n", p.Label, p.Action, p.Reason)
		}
	}
	golden(t, "proposals.golden", b.String())
}

func TestProposalsAreTheirOwnFirstAndNeverTwice(t *testing.T) {
	c := New(Options{})
	for _, ev := range recorded(t) {
		seen := map[Label]bool{}
		for i, p := range c.ProposeEvent(ev) {
			if seen[p.Label] {
				t.Errorf("%s: %d is proposed twice", Sentence(ev), p.Label)
			}
			if i == 0 && p.Label != c.EncodeEvent(ev) {
				t.Errorf("%s: first proposal %d, its own label is %d", Sentence(ev), p.Label, c.EncodeEvent(ev))
			}
			if p.Reason == "" {
				t.Errorf("%s: %d has no reason", Sentence(ev), p.Label)
			}
			seen[p.Label] = true
		}
	}
}

func TestProposeFollowsTheFacts(t *testing.T) {
	c := New(Options{})
	get := Request{"get", "apps", "deployments", "", "shop", "web"}
	create, patch := Label(65936), Label(65984)
	second := func(facts Facts) Label { return c.Propose(get, facts)[1].Label }
	if got := second(Facts{Code: 404}); got != create {
		t.Errorf("after a 404 the second proposal is %d, want the create %d", got, create)
	}
	if got := second(Facts{Code: 200}); got != patch {
		t.Errorf("after a 200 the second proposal is %d, want the patch %d", got, patch)
	}
	pods := Request{"create", "", "pods", "", "shop", "web-1"}
	owned := c.Propose(pods, Facts{Owners: []audit.Owner{{APIVersion: "apps/v1", Kind: "StatefulSet", Controller: true}}})
	want := c.Encode(Request{"create", "apps", "statefulsets", "", "shop", "web"})
	found := false
	for _, p := range owned {
		found = found || p.Label == want && strings.Contains(p.Reason, "statefulset")
	}
	if !found {
		t.Errorf("no proposal for the owner: %v", owned)
	}
}

func TestEncodeAs(t *testing.T) {
	codec := New(Options{})
	namespace := Request{Verb: "get", Resource: "namespaces", Namespace: "shop", Name: "shop"}
	for _, c := range []struct {
		request Request
		verb    string
		want    Request
	}{
		{Request{Verb: "watch", Group: "apps", Resource: "deployments", Namespace: "shop", Name: "web"}, "patch",
			Request{Verb: "patch", Group: "apps", Resource: "deployments", Namespace: "shop", Name: "web"}},
		{namespace, "create", Request{Verb: "create", Resource: "namespaces", Name: "shop"}},
		{namespace, "delete", Request{Verb: "delete", Resource: "namespaces", Namespace: "shop", Name: "shop"}},
	} {
		if got, want := codec.EncodeAs(c.request, c.verb), codec.Encode(c.want); got != want || got == Unknown {
			t.Errorf("EncodeAs(%+v, %s) = %d, want %d", c.request, c.verb, got, want)
		}
	}
	if got := codec.EncodeAs(Request{Verb: "patch", Group: "apps", Resource: "deployments", Subresource: "scale"}, "create"); got != Unknown {
		t.Errorf("a scale cannot be created, but has the label %d", got)
	}
}
