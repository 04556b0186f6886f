package server

import (
	"strings"
	"testing"
)

// TestPreviousRevision wants what the object was before the context that
// changed it: of a new image the old one. What is not the object is not
// compared with it.
func TestPreviousRevision(t *testing.T) {
	handler := dayServer(t)
	withPrevious := 0
	for _, ev := range pages(t, handler, "/events?query=verb+in+(patch,+update)+and+code+%3C+400+and+role+in+(root,+client)+and+stage+==+ResponseComplete&", 1000) {
		w := ask(handler, "GET", "/api/v1/objects/revision?auditID="+ev.AuditID, "")
		if w.Code != 200 {
			continue
		}
		now := get[revisionAnswer](t, handler, "/objects/revision?auditID="+ev.AuditID)
		before := now.Previous
		if before == nil {
			continue
		}
		withPrevious++
		if before.Kind != now.Kind || before.APIVersion != now.APIVersion || before.Object.Name != now.Object.Name || before.Previous != nil {
			t.Errorf("%s: %s %s before %s %s", ev.AuditID, before.Kind, before.Object.Name, now.Kind, now.Object.Name)
		}
		if !before.Time.Before(now.Time) && before.AuditID == now.AuditID {
			t.Errorf("%s: its previous revision is itself", ev.AuditID)
		}
	}
	if withPrevious < 10 {
		t.Errorf("%d revisions have a previous one", withPrevious)
	}
	c := get[fullContext](t, handler, "/contexts/"+theContext)
	now := get[revisionAnswer](t, handler, "/objects/revision?auditID="+c.Context.Root.AuditID)
	if now.Previous == nil || strings.Contains(now.Previous.Text, `"image": "nginx:1.28"`) || !strings.Contains(now.Text, `"image": "nginx:1.28"`) {
		t.Errorf("the image before is not told: %+v", now.Previous)
	}
}
