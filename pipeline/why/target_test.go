package why

import (
	"testing"

	"github.com/whet-k8s/whet/audit"
)

func TestParseTarget(t *testing.T) {
	for in, want := range map[string]Target{
		"pod/shop/web-1":                  {Kind: "pod", Namespace: "shop", Name: "web-1"},
		"Pods/shop/web-1":                 {Kind: "pod", Namespace: "shop", Name: "web-1"},
		"po/web-1":                        {Kind: "pod", Name: "web-1"},
		"deployment.apps/shop/web":        {Kind: "deployment", Group: "apps", Namespace: "shop", Name: "web"},
		"deploy/shop/web":                 {Kind: "deployment", Namespace: "shop", Name: "web"},
		"ns/shop":                         {Kind: "namespace", Name: "shop"},
		"NetworkPolicies/shop/x":          {Kind: "networkpolicy", Namespace: "shop", Name: "x"},
		"ingresses/shop/x":                {Kind: "ingress", Namespace: "shop", Name: "x"},
		"widgets.example.org/shop/w":      {Kind: "widget", Group: "example.org", Namespace: "shop", Name: "w"},
		"clusterrole/system:node-proxier": {Kind: "clusterrole", Name: "system:node-proxier"},
		"5f6b7c0e-6a0a-4c39-9d5b-2f7d0f1": {AuditID: "5f6b7c0e-6a0a-4c39-9d5b-2f7d0f1"},
	} {
		got, err := ParseTarget(in)
		if err != nil || got != want {
			t.Errorf("ParseTarget(%q) = %+v, %v, want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "pod/", "/x", "pod//x", "a/b/c/d", "two words", "pod/a b", "p\x1bd/x"} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("ParseTarget(%q) = %+v, want an error", in, got)
		}
	}
}

// event makes a request for a config map of the namespace shop.
func event(verb, name, uri string, response *audit.Body) *audit.Event {
	return &audit.Event{
		Verb: verb, RequestURI: uri, HasObject: true, Response: response, Status: audit.Status{Code: 200},
		Object: audit.ObjectRef{Resource: "configmaps", Namespace: "shop", Name: name},
	}
}

func TestTargetFits(t *testing.T) {
	const collection = "/api/v1/namespaces/shop/configmaps"
	listed := &audit.Body{Kind: "ConfigMapList", ItemRefs: []audit.InvolvedObject{{Name: "settings"}}}
	tests := []struct {
		name, target string
		event        *audit.Event
		want         bool
	}{
		{"itself", "cm/shop/settings", event("get", "settings", "", nil), true},
		{"another name", "cm/shop/settings", event("get", "settings-2", "", nil), false},
		{"another namespace", "cm/test/settings", event("get", "settings", "", nil), false},
		{"any namespace", "cm/settings", event("get", "settings", "", nil), true},
		{"another kind", "secret/shop/settings", event("get", "settings", "", nil), false},
		{"another group", "configmap.example.org/shop/settings", event("get", "settings", "", nil), false},
		{"a list does not name it", "cm/shop/settings", event("list", "", collection, listed), false},
		{"a collection that lists it", "cm/shop/settings", event("deletecollection", "", collection, listed), true},
		{"a collection that lists others", "cm/shop/other", event("deletecollection", "", collection, listed), false},
		{"an empty collection", "cm/shop/settings", event("deletecollection", "", collection, &audit.Body{Kind: "ConfigMapList"}), false},
		{"a whole collection without body", "cm/shop/settings", event("deletecollection", "", collection, nil), true},
		{"a selected collection", "cm/shop/settings", event("deletecollection", "", collection+"?labelSelector=a%3Db", nil), false},
		{"a generated name", "cm/shop/settings", event("create", "", collection, &audit.Body{Kind: "ConfigMap", Name: "settings"}), true},
	}
	for _, tt := range tests {
		target, err := ParseTarget(tt.target)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := target.fits(tt.event); got != tt.want {
			t.Errorf("%s: fits is %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestWeigh(t *testing.T) {
	request := func(verb, sub string, code int32, uri string) *audit.Event {
		return &audit.Event{Verb: verb, RequestURI: uri, Object: audit.ObjectRef{Subresource: sub}, Status: audit.Status{Code: code}}
	}
	for _, tt := range []struct {
		event *audit.Event
		want  weight
	}{
		{request("delete", "", 200, ""), deletion},
		{request("delete", "", 404, ""), noChange},
		{request("delete", "", 200, "/x?dryRun=All"), noChange},
		{request("create", "eviction", 201, ""), deletion},
		{request("create", "", 201, ""), creation},
		{request("patch", "", 201, ""), creation},
		{request("patch", "", 200, ""), change},
		{request("update", "scale", 200, ""), change},
		{request("patch", "status", 200, ""), report},
		{request("create", "binding", 201, ""), placement},
		{request("create", "exec", 101, ""), noChange},
		{request("get", "", 200, ""), noChange},
	} {
		if got := weigh(tt.event); got != tt.want {
			t.Errorf("%s %q (%d): weight %d, want %d", tt.event.Verb, tt.event.Object.Subresource, tt.event.Status.Code, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	n := nearest{name: "settings"}
	for _, name := range []string{"setings", "settings-2", "kube-root-ca.crt", "sittings", "settings", "settings-2", ""} {
		n.add("shop", name)
	}
	got := n.names(Target{Kind: "configmap", Name: "settings"})
	want := []string{"configmap/shop/settings", "configmap/shop/setings", "configmap/shop/settings-2", "configmap/shop/sittings"}
	if len(got) != len(want) {
		t.Fatalf("near are %q, want %q", got, want)
	}
	seen := map[string]bool{}
	for _, name := range got {
		seen[name] = true
	}
	for _, name := range want {
		if !seen[name] {
			t.Errorf("near are %q, and %q is missing", got, name)
		}
	}
	if d := edits("kitten", "sitting"); d != 3 {
		t.Errorf("kitten and sitting are %d edits apart, want 3", d)
	}
}
