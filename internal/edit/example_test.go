package edit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/internal/edit"
)

// A session on a log of 50 events: the linker looks at all of them, background
// gets its own label, and somebody decides about one event.
func Example() {
	dir, err := os.MkdirTemp("", "whet-example-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	log, err := edit.OpenLog(ctx, "testdata/web.jsonl", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = log.Close() }()
	journal, err := edit.OpenJournal(filepath.Join(dir, "web.journal"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = journal.Close() }()
	session, err := edit.NewSession(log, journal, edit.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	scanned, err := session.Scan(ctx, func(entries []edit.Entry, _ int64) error {
		session.Append(entries)
		return nil
	})
	if err == nil {
		err = session.Begin(scanned)
	}
	if err == nil {
		err = session.Analyse(ctx, edit.Analysis{Opinions: func(opinions []edit.Opinion, _ int64) error { return session.Learn(opinions) }})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", session.Counts())

	first, _ := session.NextUnlabelled(session.Len()-1, 1)
	proposals, err := session.Proposals(first)
	if err != nil {
		fmt.Println(err)
		return
	}
	best := proposals[0]
	fmt.Println(best.Label, best.Action)
	fmt.Printf("%s %.2f: %s\n", best.Reasons[0].Source, best.Reasons[0].Confidence, best.Reasons[0].Why)
	if err := session.Decide(first, best.Label); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session.Mark(first).Label, session.Counts().Person)
	// Output:
	// {Person:0 Accepted:0 Given:0 Automatic:9 Unlabelled:41}
	// 65984 patch apps/v1/deployments, one object in a namespace
	// linker 0.98: line 9 alice: set image of deployment data/web-api to nginx:1.28 (same-command)
	// 65984 1
}
