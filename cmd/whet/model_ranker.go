package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/model/rank"
	"github.com/whet-k8s/whet/model/train"
)

// loadLinks reads recordings for a ranker. The caller calls done at the end.
func loadLinks(ctx context.Context, log *modelLog, sources []train.Source) (logs []train.Links, done func(), err error) {
	dir, err := os.MkdirTemp("", "whet-ranker-")
	if err != nil {
		return nil, nil, fmt.Errorf("making a folder for logs of level Request: %w", err)
	}
	done = func() { _ = os.RemoveAll(dir) } // It is a temporary folder.
	logs, err = train.LoadLinks(ctx, sources, dir, func(name string) { log.info("reading %s", name) })
	if err != nil {
		done()
		return nil, nil, err
	}
	for i := range logs {
		log.account(logs[i].Name, logs[i].Account)
	}
	return logs, done, nil
}

// rankerSources gives the recordings that a ranker is to learn from.
func rankerSources(d *modelData, args []string) ([]train.Source, error) {
	if d.key != "" {
		return nil, usageError("--ranker learns from recordings, not from labels: --key has no meaning")
	}
	return d.sources(args)
}

// trainRanker is whet model train --ranker.
func trainRanker(ctx context.Context, std *stdio, log *modelLog, o *modelTrainOptions, out target, args []string) error {
	sources, err := rankerSources(&o.data, args)
	if err != nil {
		return err
	}
	if err := reserveApart(sources, out); err != nil {
		return err
	}
	logs, done, err := loadLinks(ctx, log, sources)
	if err != nil {
		return err
	}
	defer done()
	m, err := train.FitRanker(ctx, logs, rankerOptions(&o.plan))
	if err != nil {
		return err
	}
	size, err := out.write(m.Write)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "Wrote the ranker to %s (%s, %s).\n", term.Sanitize(o.output), term.Bytes(size), term.Plural(m.Choices, "choice"))
	return nil
}

// rankerOptions are how a ranker is fitted: the flags seed and workers say
// something about that, too.
func rankerOptions(plan *planFlags) rank.Options {
	o := rank.DefaultOptions()
	o.Seed, o.Workers = plan.plan.Options.Seed, plan.plan.Options.Workers
	return o
}

// evaluateRanker is whet model evaluate --ranker.
func evaluateRanker(ctx context.Context, std *stdio, log *modelLog, o *modelEvaluateOptions, args []string) error {
	sources, err := rankerSources(&o.data, args)
	if err != nil {
		return err
	}
	if _, err := train.LeftOut(sources, o.leaveOneOut); err != nil {
		return usageError("--leave-one-out: %w", err)
	}
	logs, done, err := loadLinks(ctx, log, sources)
	if err != nil {
		return err
	}
	defer done()
	trials, err := train.LeaveOneOutLinks(ctx, logs, o.leaveOneOut, rankerOptions(&o.plan), func(name string) {
		log.info("training without %s", name)
	})
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(std.out).Encode(trials)
	}
	return printLinkTrials(std.out, trials)
}

// printLinkTrials prints a row for each log, one for all of a level, and how
// many links of each confidence are right.
func printLinkTrials(w io.Writer, trials []train.LinkTrial) error {
	const row = "%-20s %8d   %-8s %-8s %6d %6d   %s\n"
	fmt.Fprintf(w, "%-20s %8s   %-8s %-8s %6s %6s   %s\n", "hard attribution", "effects", "rules", "ranked", "wrong", "ranked", "errors less")
	for _, t := range trials {
		for _, l := range t.Logs {
			fmt.Fprintf(w, row, term.Sanitize(l.Name), l.Hard, l.Rules.HardAttribution, l.Ranked.HardAttribution, l.WrongByRules, l.WrongRanked, less(l.WrongByRules, l.WrongRanked))
		}
	}
	for _, level := range train.LinkLevels() {
		all := train.SumLinks(trials, level)
		if all.Hard == 0 {
			continue
		}
		fmt.Fprintf(w, "\nall at level %s: %d wrong by rules, %d ranked, %s\n", level, all.WrongByRules, all.WrongRanked, less(all.WrongByRules, all.WrongRanked))
		fmt.Fprintf(w, "%-12s %8s %10s %8s\n", "confidence", "links", "promised", "right")
		for _, b := range all.Bins {
			if b.Links > 0 {
				fmt.Fprintf(w, "from %-7.2f %8d %10.4f %8.4f\n", b.Least, b.Links, b.Promised, float64(b.Right)/float64(b.Links))
			}
		}
	}
	return nil
}

// less says what share of errors is gone.
func less(before, after int) string {
	if before == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(before-after)/float64(before))
}
