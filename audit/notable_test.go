package audit

import "testing"

func TestNotable(t *testing.T) {
	for _, c := range []struct {
		name string
		ev   Event
		want Notable
	}{
		{"an ordinary request", Event{Status: Status{Code: 200}, Object: ObjectRef{Resource: "pods", Subresource: "status"}}, 0},
		{"not found", Event{Status: Status{Code: 404, Message: `pods "web" not found`}}, 0},
		{"401", Event{Status: Status{Code: 401}}, NotableDenied},
		{"403", Event{Status: Status{Code: 403, Message: `admission webhook "x" denied the request: no`}}, NotableDenied},
		{"the authorizer's verdict", Event{Annotations: map[string]string{"authorization.k8s.io/decision": "forbid"}}, NotableDenied},
		{"a webhook", Event{Status: Status{Code: 400, Message: `admission webhook "x" denied the request: no`}}, NotableRejected},
		{"a policy", Event{Status: Status{Code: 422, Message: `ValidatingAdmissionPolicy 'x' with binding 'y' denied request: no`}}, NotableRejected},
		{"a failure of the server", Event{Status: Status{Code: 500, Message: "a proxy denied the request"}}, 0},
		{"a secret", Event{Object: ObjectRef{Resource: "secrets"}}, NotableSecrets},
		{"somebody else's secret", Event{Object: ObjectRef{Resource: "secrets"}, Impersonated: &User{}}, NotableSecrets | NotableImpersonation},
		{"a shell that was refused", Event{Object: ObjectRef{Resource: "pods", Subresource: "exec"}, Status: Status{Code: 403}}, NotableSession | NotableDenied},
		{"through a service", Event{Object: ObjectRef{Resource: "services", Subresource: "proxy"}}, NotableSession},
	} {
		if got := c.ev.Notable(); got != c.want {
			t.Errorf("%s: got %05b, want %05b", c.name, got, c.want)
		}
	}
	if n := NotableSecrets | NotableSession; !n.Has(NotableSession|NotableDenied) || n.Has(NotableDenied|NotableRejected) || n.Has(0) {
		t.Error("Has does not tell whether one of the reasons is there")
	}
}
