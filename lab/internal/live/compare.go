package live

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
)

// maxNamed bounds how many differences are named, of each kind.
const maxNamed = 5

// compare holds what whet has kept against the API server's own log.
func (r *run) compare(ctx context.Context, report *Report) error {
	log := r.cluster.AuditLog()
	if err := eachEvent(log, func(*event) { report.Events++ }); err != nil {
		return err
	}
	whole := filepath.Join(r.dir, "whole")
	if _, err := r.whet.rows(ctx, "analyze", "--out", whole, "--cluster", clusterName, log); err != nil {
		return err
	}
	for _, q := range []struct{ what, statement string }{
		{"event", `SELECT auditID, stage, requestReceivedTimestamp, stageTimestamp, context, role FROM events WHERE stageTimestamp < TIMESTAMP '` +
			r.stopping.UTC().Format("2006-01-02 15:04:05.000000") + `'`},
		{"context", `SELECT id, username, action, effects, "start" FROM contexts`},
	} {
		want, err := r.whet.rows(ctx, "sql", "--data", whole, "--format", "csv", q.statement)
		if err != nil {
			return err
		}
		got, err := r.whet.rows(ctx, "sql", "--data", r.whet.data, "--format", "csv", q.statement)
		if err != nil {
			return err
		}
		if q.what == "context" {
			report.Contexts = len(want) - 1
		}
		report.Differences = append(report.Differences, difference(q.what, want, got)...)
	}
	return nil
}

// difference names rows that only one of two has.
func difference(what string, want, got []string) []string {
	slices.Sort(want)
	slices.Sort(got)
	only := func(a, b []string, how string) []string {
		var list []string
		n := 0
		for _, row := range a {
			if _, found := slices.BinarySearch(b, row); found {
				continue
			}
			if n++; n <= maxNamed {
				list = append(list, fmt.Sprintf("%s only in %s: %s", what, how, row))
			}
		}
		if n > maxNamed {
			list = append(list, fmt.Sprintf("and %d more", n-maxNamed))
		}
		return list
	}
	return append(only(want, got, "the log"), only(got, want, "the data set")...)
}
