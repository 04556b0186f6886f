package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/pipeline/why"
)

// TestWhyAnswersAsALogDoes asks a data set and the log that it was made of.
func TestWhyAnswersAsALogDoes(t *testing.T) {
	const log = "../recordings/day.audit.jsonl.zst"
	dir := t.TempDir()
	w, err := Append(t.Context(), dir, WriterOptions{Keep: KeepAll})
	if err != nil {
		t.Fatal(err)
	}
	account, err := pipeline.Run(t.Context(), []string{log}, nil, pipeline.Options{KeepGaps: true}, w.Sink())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, text := range []string{
		"pod/data/web-api-77b586c99c-grh44", "deployment/data/web-api", "deploy.apps/data/web-api", "namespace/data",
		"a14b2ced-eee6-4a8b-be22-d205ded004e4", "pod/web-api-77b586c99c-grh", "nothing/x/y", "deployment/web-api",
	} {
		target, err := why.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := why.Ask(context.Background(), []string{log}, nil, pipeline.Options{}, target, true)
		got, err := d.Why(t.Context(), target, true)
		var notFound *why.NotFoundError
		if wantErr != nil {
			if !errors.As(err, &notFound) || strings.ReplaceAll(err.Error(), "the data set", "the log") != wantErr.Error() {
				t.Errorf("%s: the data set says %v, the log %v", text, err, wantErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want.Accounting = nil
		options := []cmp.Option{cmpopts.IgnoreUnexported(why.Step{}), cmpopts.EquateApprox(0, 1e-4)}
		if diff := cmp.Diff(want, got, options...); diff != "" {
			t.Errorf("%s: the data set (+) answers other than the log (-):\n%s", text, diff)
		}
		if !strings.Contains(got.Report().Chains[0].Answer, "ran: ") && len(got.Chains[0].Steps) > 1 {
			t.Errorf("%s: the answer names nobody: %s", text, got.Report().Chains[0].Answer)
		}
	}
}
