package pipeline_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/pipeline"
)

// recording is a log of the recordings folder, decompressed.
func recording(tb testing.TB, name string) []byte {
	tb.Helper()
	packed, err := os.ReadFile("../recordings/" + name + ".jsonl.zst")
	if err != nil {
		tb.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer d.Close()
	log, err := d.DecodeAll(packed, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return log
}

// BenchmarkAnalyze measures the whole way of a log, from bytes to contexts and
// to annotations.
func BenchmarkAnalyze(b *testing.B) {
	sinks := []struct {
		name string
		sink pipeline.Sink
	}{
		{"contexts", pipeline.Sink{Context: func(*pipeline.Context) error { return nil }}},
		{"annotations", pipeline.Sink{Annotation: func(*pipeline.Annotation) error { return nil }}},
	}
	for _, level := range []string{"audit", "metadata"} {
		log := recording(b, "day."+level)
		path := filepath.Join(b.TempDir(), "audit.log")
		if err := os.WriteFile(path, log, 0o600); err != nil {
			b.Fatal(err)
		}
		for _, s := range sinks {
			b.Run(s.name+"/"+level, func(b *testing.B) {
				b.SetBytes(int64(len(log)))
				b.ReportAllocs()
				for b.Loop() {
					_, err := pipeline.Run(context.Background(), []string{path}, nil, pipeline.Options{}, s.sink)
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
