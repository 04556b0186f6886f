package evaluate_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/whet-k8s/whet/evaluate"
)

func Example() {
	truth, err := evaluate.Load(context.Background(), "../recordings/day")
	if err != nil {
		fmt.Println(err)
		return
	}
	// A program that finds one context with its root and one effect.
	annotations := strings.NewReader(`{"line":117,"context":"mine","role":"root","label":41104}
{"line":118,"context":"mine","role":"effect","label":41104}
`)
	figures, err := evaluate.Score(truth, evaluate.ReadAnnotations(annotations, "annotations.jsonl"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(figures.Lines, "lines,", figures.NotAnnotated, "not annotated")
	fmt.Println("root precision", figures.RootPrecision)
	// Output:
	// 9905 lines, 9903 not annotated
	// root precision 1.0
}
