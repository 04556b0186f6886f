package server

import (
	"cmp"
	"net/http"
	"os"
	"testing"
)

// BenchmarkAnswers measures what the app asks when a page opens. It asks the
// data set in the folder that WHET_DATA names, else one of the recording of a
// day.
func BenchmarkAnswers(b *testing.B) {
	dir, err := dayFolder()
	if err != nil {
		b.Fatal(err)
	}
	data := open(b, cmp.Or(os.Getenv("WHET_DATA"), dir))
	handler, err := New(b.Context(), data, Options{Listen: "127.0.0.1:8080"})
	if err != nil {
		b.Fatal(err)
	}
	first := get[rows](b, handler, "/contexts?sort=-effects&limit=1").Items[0]
	for _, path := range []string{
		"/info", "/timeline", "/timeline?dots=0", "/facets", "/facets?query=verb==delete", "/contexts?limit=100",
		"/contexts/" + first.ID, "/contexts/" + first.ID + "/events", "/contexts/" + first.ID + "/graph", "/contexts/" + first.ID + "/objects",
		"/events?limit=100", "/events/" + first.Root.AuditID, "/why?target=" + first.Root.AuditID, "/values?field=username", "/noise",
	} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				if w := ask(handler, http.MethodGet, "/api/v1"+path, ""); w.Code != http.StatusOK {
					b.Fatalf("status %d: %s", w.Code, w.Body)
				}
			}
		})
	}
}
