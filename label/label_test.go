package label

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/whet-k8s/whet/audit"
)

// vectors are the published test vectors.
var vectors = []struct {
	request Request
	want    Label
}{
	{Request{"create", "apps", "deployments", "", "x", "y"}, 65936},
	{Request{"patch", "apps", "deployments", "scale", "x", "y"}, 67008},
	{Request{"list", "core", "pods", "", "x", ""}, 4400},
	{Request{"list", "core", "pods", "", "", ""}, 4144},
	{Request{"watch", "core", "secrets", "", "x", "s"}, 8656},
	{Request{"create", "core", "pods", "eviction", "x", "p"}, 5009},
	{Request{"create", "core", "pods", "exec", "x", "p"}, 6544},
	{Request{"get", "core", "nodes", "proxy", "", "n"}, 61617},
	{Request{"deletecollection", "core", "pods", "", "x", ""}, 4384},
	{Request{"create", "example.org", "widgets", "", "x", "w"}, 2728336},
	{Request{"delete", "rbac.authorization.k8s.io", "clusterroles", "", "", "c"}, 28832},
	{Request{"update", "core", "namespaces", "finalize", "", "n"}, 42176},
	{Request{"update", "coordination.k8s.io", "leases", "", "x", "y"}, 119232},
	{Request{"patch", "core", "nodes", "", "", "n"}, 61632},
	{Request{"create", "core", "serviceaccounts", "token", "x", "s"}, 17808},
}

func TestEncodeVectors(t *testing.T) {
	c := New(Options{})
	for _, v := range vectors {
		if got := c.Encode(v.request); got != v.want {
			t.Errorf("Encode(%+v) = %d, want %d", v.request, got, v.want)
		}
		inEvent := v.request
		if inEvent.Group == coreGroup {
			inEvent.Group = ""
		}
		if got := c.Encode(inEvent); got != v.want {
			t.Errorf("Encode(%+v) = %d, want %d", inEvent, got, v.want)
		}
	}
}

func TestEncodeWhatTheTablesLack(t *testing.T) {
	c := New(Options{})
	namespacedCustom := New(Options{NamespacedCustom: true})
	tests := map[string]struct {
		codec   *Codec
		request Request
		want    Label
	}{
		"verb the resource lacks":       {c, Request{"delete", "", "bindings", "", "x", "b"}, Unknown},
		"verb the subresource lacks":    {c, Request{"create", "apps", "deployments", "scale", "x", "y"}, Unknown},
		"verb no label has":             {c, Request{"impersonate", "", "users", "", "", "u"}, Unknown},
		"no verb":                       {c, Request{"", "", "pods", "", "x", "p"}, Unknown},
		"resource the group lacks":      {c, Request{"get", "apps", "pods", "", "x", "p"}, Unknown},
		"subresource the table lacks":   {c, Request{"get", "", "pods", "nosuch", "x", "p"}, Unknown},
		"no resource":                   {c, Request{Verb: "get", Group: "example.org"}, Unknown},
		"list for a resource with get":  {c, Request{"list", "", "componentstatuses", "", "", ""}, 901<<12 | 3<<4},
		"update for one with patch":     {c, Request{"update", "", "pods", "ephemeralcontainers", "x", "p"}, 1<<12 | 7<<9 | 3<<7 | 4<<4},
		"custom status has no trace":    {c, Request{"update", "example.org", "widgets", "status", "x", "w"}, 666<<12 | 3<<7 | 4<<4},
		"custom in a namespace, asked":  {namespacedCustom, Request{"create", "example.org", "widgets", "", "x", "w"}, 667<<12 | 3<<7 | 1<<4},
		"custom without one, asked":     {namespacedCustom, Request{"create", "example.org", "widgets", "", "", "w"}, 666<<12 | 1<<7 | 1<<4},
		"the stand-in's group":          {c, Request{"get", "unknown.1company-name.com", "externalcrd", "", "", "w"}, 666<<12 | 1<<7 | 3<<4},
		"newer than the table":          {c, Request{"create", "networking.k8s.io", "ipaddresses", "", "", "a"}, 500<<12 | 1<<7 | 1<<4},
		"newer subresource":             {c, Request{"patch", "", "pods", "resize", "x", "p"}, 1<<12 | 2<<9 | 3<<7 | 4<<4 | 1},
		"name with every other bit off": {c, Request{"get", "", "nodes", "", "", "n"}, 15<<12 | 1<<7 | 3<<4},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.codec.Encode(test.request); got != test.want {
				t.Errorf("Encode(%+v) = %d, want %d", test.request, got, test.want)
			}
		})
	}
}

func TestEncodeEvent(t *testing.T) {
	pods := audit.ObjectRef{Resource: "pods", Namespace: "shop", Name: "cache", APIVersion: "v1"}
	inNamespace := func(namespace string) audit.ObjectRef { o := pods; o.Namespace = namespace; return o }
	unnamed := pods
	unnamed.Name = ""
	tests := map[string]struct {
		ev   audit.Event
		want Label
	}{
		"request": {audit.Event{RequestURI: "/api/v1/namespaces/shop/pods", Verb: "create", HasObject: true, Object: pods}, 4496},
		"generateName": {audit.Event{
			RequestURI: "/api/v1/namespaces/shop/pods", Verb: "create", HasObject: true, Object: unnamed,
			Response: &audit.Body{Name: "cache-x7k2p"},
		}, 4368},
		"no URI":            {audit.Event{Verb: "create", HasObject: true, Object: pods}, 4496},
		"outside":           {audit.Event{RequestURI: "/healthz", Verb: "get"}, Ignored},
		"outside by prefix": {audit.Event{RequestURI: "/apiserver/pods", Verb: "get", HasObject: true, Object: pods}, Ignored},
		"openapi":           {audit.Event{RequestURI: "/openapi/v3?timeout=32s", Verb: "get"}, Ignored},
		"discovery":         {audit.Event{RequestURI: "/apis/apps/v1?timeout=32s", Verb: "get"}, Ignored},
		"ignored namespace": {audit.Event{RequestURI: "/api/v1/namespaces/falco/pods", Verb: "create", HasObject: true, Object: inNamespace("falco")}, Ignored},
		"prefix of one":     {audit.Event{RequestURI: "/api/v1/namespaces/falco-2/pods", Verb: "create", HasObject: true, Object: inNamespace("falco-2")}, 4496},
	}
	c := New(Options{IgnoredNamespaces: DefaultIgnoredNamespaces()})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := c.EncodeEvent(&test.ev); got != test.want {
				t.Errorf("EncodeEvent = %d, want %d", got, test.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	c := New(Options{})
	got, err := c.Decode(5009)
	want := Action{
		Label: 5009, Verb: "create", Group: "core", Version: "v1", Resource: "pods", Subresource: "eviction",
		Namespaced: true, Named: true, ID: 1, SubresourceID: 9,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Decode(5009): %v\n%s", err, diff)
	}
	words := map[Label]string{
		Unknown: "unknown",
		Ignored: "ignored",
		4384:    "delete core/v1/pods, no name in a namespace",
		61617:   "get core/v1/nodes/proxy, one object without a namespace",
		2728336: "create unknown.1company-name.com/noversion/externalcrd, one object in a namespace",
	}
	for l, want := range words {
		action, err := c.Decode(l)
		if got := action.String(); err != nil || got != want {
			t.Errorf("Decode(%d) = %q, %v, want %q", l, got, err, want)
		}
	}
	refused := map[Label]string{
		-3:                   "not between",
		1 << 22:              "not between",
		0:                    "no resource has the id 0",
		1<<12 | 1<<4 | 2:     "pods has no subresource with the id 16",
		4096:                 "verb with the id 0",
		16<<12 | 2<<9 | 1<<4: "verb with the id 1 (create) is not one of deployments/scale",
	}
	for l, want := range refused {
		if _, err := c.Decode(l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%d): %v, want an error with %q", l, err, want)
		}
	}
}

// TestSpace lists the space by brute force over all bits and compares.
func TestSpace(t *testing.T) {
	c := New(Options{})
	var published, gained []Label
	for l := Label(0); l <= maxLabel; l++ {
		if c.byID[int(l>>resourceShift)] == nil {
			continue // Millions of numbers without a resource; TestDecode has one.
		}
		action, err := c.Decode(l)
		switch {
		case err != nil:
		case action.New:
			gained = append(gained, l)
		default:
			published = append(published, l)
		}
	}
	if len(published) != 1356 {
		t.Errorf("the space has %d labels, want 1356", len(published))
	}
	if !slices.Equal(published, c.Space()) {
		t.Error("Space differs from the brute force")
	}
	if !slices.Equal(gained, c.NewSpace()) {
		t.Errorf("NewSpace has %d labels, the brute force %d", len(c.NewSpace()), len(gained))
	}
}

// TestRoundTrip encodes what every label decodes to and expects the label.
func TestRoundTrip(t *testing.T) {
	c := New(Options{})
	for _, l := range slices.Concat(c.Space(), c.NewSpace()) {
		a, err := c.Decode(l)
		if err != nil {
			t.Fatal(err)
		}
		request := Request{Verb: a.Verb, Group: a.Group, Resource: a.Resource, Subresource: a.Subresource}
		if a.Namespaced {
			request.Namespace = "x"
		}
		if a.Named {
			request.Name = "y"
		}
		want := l
		if a.ID == customNamespacedID {
			want = l - 1<<resourceShift
		}
		if got := c.Encode(request); got != want {
			t.Errorf("Encode(Decode(%d)) = %d, want %d", l, got, want)
		}
	}
}

// TestTableIDs keeps the tables consistent and whet's own ids where they were.
func TestTableIDs(t *testing.T) {
	names, ids := map[groupResource]bool{}, map[int]bool{}
	for _, r := range slices.Concat(publishedResources(), newResources()) {
		if ids[r.id] || r.id > resourceMask {
			t.Errorf("%s: id %d is used twice or too large", r.name, r.id)
		}
		if key := (groupResource{r.group, r.name}); names[key] && !r.isCustom() {
			t.Errorf("%s/%s stands in the tables twice", r.group, r.name)
		}
		ids[r.id], names[groupResource{r.group, r.name}] = true, true
		subs := map[int]bool{0: true}
		for _, s := range slices.Concat(r.subresources, newSubresources()[groupResource{r.group, r.name}]) {
			if subs[s.id] || s.id > 15 {
				t.Errorf("%s/%s: id %d is used twice or too large", r.name, s.name, s.id)
			}
			subs[s.id] = true
		}
	}
	for i, r := range newResources() {
		if r.id != firstNewID+i {
			t.Errorf("%s has the id %d, want %d: new resources are appended", r.name, r.id, firstNewID+i)
		}
	}
	if first := newResources()[0].name; first != "ipaddresses" {
		t.Errorf("the first new resource is %s: ids were renumbered", first)
	}
}

func TestGroupOf(t *testing.T) {
	c := New(Options{})
	for resource, want := range map[string]string{
		"deployments": "apps", "events": "core", "pods": "core", "ipaddresses": "networking.k8s.io", "widgets": "", "externalcrd": "",
	} {
		if got, ok := c.GroupOf(resource); got != want || ok != (want != "") {
			t.Errorf("GroupOf(%q) = %q, %t, want %q", resource, got, ok, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors {
		f.Add(int64(v.want))
	}
	c := New(Options{})
	f.Fuzz(func(t *testing.T, n int64) {
		a, err := c.Decode(Label(n))
		if err == nil && a.Label != Label(n) {
			t.Errorf("Decode(%d) is about %d", n, a.Label)
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.request.Verb, v.request.Group, v.request.Resource, v.request.Subresource, v.request.Namespace, v.request.Name)
	}
	c := New(Options{NamespacedCustom: true})
	f.Fuzz(func(t *testing.T, verb, group, resource, subresource, namespace, name string) {
		request := Request{verb, group, resource, subresource, namespace, name}
		l := c.Encode(request)
		a, err := c.Decode(l)
		if err != nil {
			t.Fatalf("Encode(%+v) = %d, which Decode refuses: %v", request, l, err)
		}
		if l != Unknown && (a.Named != (name != "") || a.Namespaced != (namespace != "")) {
			t.Errorf("Encode(%+v) = %d, which means %s", request, l, a)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	c := New(Options{})
	request := Request{"patch", "apps", "deployments", "scale", "x", "y"}
	for b.Loop() {
		c.Encode(request)
	}
}
