package server

import (
	"net/http"
	"testing"
)

// TestObjectsByName looks for objects as somebody does who remembers a part of
// a name.
func TestObjectsByName(t *testing.T) {
	handler := dayServer(t)
	type found = list[foundObject]
	for part, want := range map[string]objectAnswer{
		"web-api":                    {APIGroup: "apps", Resource: "deployments", Namespace: "data", Name: "web-api"},
		"GRH44":                      {Resource: "pods", Namespace: "data", Name: "web-api-77b586c99c-grh44"},
		"web-api-77b586c99c-grh44":   {Resource: "pods", Namespace: "data", Name: "web-api-77b586c99c-grh44"},
		"web-api&namespace=data":     {APIGroup: "apps", Resource: "deployments", Namespace: "data", Name: "web-api"},
		"data-lake&limit=1":          {Resource: "namespaces", Name: "data-lake"},
		"no%20such%25&namespace=%22": {},
	} {
		got := get[found](t, handler, "/objects?name="+part)
		if want.Name == "" {
			if got.Total != 0 || got.Items == nil {
				t.Errorf("%s: %d found, want none", part, got.Total)
			}
			continue
		}
		if len(got.Items) == 0 || got.Items[0].Object != want && (want.Resource == "pods" || got.Items[0].Object.Name != want.Name) {
			t.Errorf("%s: found %+v, want %+v first", part, got.Items, want)
		}
	}
	pod := get[found](t, handler, "/objects?name=grh44").Items[0]
	if !pod.Deleted || pod.Succeeded == 0 || !pod.Last.After(pod.First) {
		t.Errorf("the pod that went: %+v", pod)
	}
	if w := ask(handler, http.MethodGet, "/api/v1/objects", ""); w.Code != http.StatusBadRequest {
		t.Errorf("without a name: status %d", w.Code)
	}
}
