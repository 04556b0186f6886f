package audit

import "testing"

func TestQuery(t *testing.T) {
	for _, c := range []struct {
		uri     string
		dryRun  bool
		manager string
	}{
		{"/api/v1/namespaces/shop/pods", false, ""},
		{"/api/v1/namespaces/shop/pods?dryRun=All", true, ""},
		{"/api/v1/namespaces/shop/pods?dryRun=All&fieldManager=kubectl-create&fieldValidation=Strict", true, "kubectl-create"},
		{"/api/v1/namespaces/shop/pods?fieldManager=flux%2Fapply&pretty=true", false, "flux/apply"},
		// A dry run in the text of another parameter is none.
		{"/api/v1/namespaces/shop/pods/web?pretty=dryRun=All", false, ""},
		{"/api/v1/namespaces/shop/pods/web?xdryRun=All", false, ""},
		{"/api/v1/namespaces/dryRun=All/pods/web", false, ""},
		{"/api/v1/namespaces/shop/pods?bad=%zz&dryRun=All", true, ""},
	} {
		ev := Event{RequestURI: c.uri}
		if got := ev.DryRun(); got != c.dryRun {
			t.Errorf("%s: dry run %v", c.uri, got)
		}
		if got := ev.FieldManager(); got != c.manager {
			t.Errorf("%s: field manager %q, want %q", c.uri, got, c.manager)
		}
	}
}
