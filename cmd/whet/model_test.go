package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/pipeline"
)

// unpacked gives the name of a file with a recording's log as it is.
func unpacked(b *testing.B, name string) string {
	b.Helper()
	in, err := os.Open(filepath.Join("..", "..", "recordings", name+".jsonl.zst"))
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	decoder, err := zstd.NewReader(in)
	if err != nil {
		b.Fatal(err)
	}
	defer decoder.Close()
	path := filepath.Join(b.TempDir(), name)
	out, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(out, decoder); err != nil {
		b.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkModelPredict labels a recording, from its bytes to the labels, with
// and without the model.
func BenchmarkModelPredict(b *testing.B) {
	m, err := model.Default()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"day.audit", "day.metadata"} {
		path := unpacked(b, name)
		lines := 0
		run := func(b *testing.B, one func() error) {
			lines = 0
			for b.Loop() {
				if err := one(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
		}
		b.Run(name+"/model", func(b *testing.B) {
			run(b, func() error {
				_, err := predict(context.Background(), &stdio{}, m, []string{path}, pipeline.Options{}, func(*pipeline.Annotation, model.Prediction) error {
					lines++
					return nil
				})
				return err
			})
		})
		b.Run(name+"/linker", func(b *testing.B) {
			run(b, func() error {
				_, err := pipeline.Run(context.Background(), []string{path}, nil, pipeline.Options{}, pipeline.Sink{Annotation: func(*pipeline.Annotation) error {
					lines++
					return nil
				}})
				return err
			})
		})
	}
}
