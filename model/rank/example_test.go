package rank_test

import (
	"context"
	"fmt"

	"github.com/whet-k8s/whet/model/rank"
	"github.com/whet-k8s/whet/pipeline"
)

// A ReplicaSet gets its last pod ten seconds late: a quota was in its way, and
// somebody has just deleted that.
func Example() {
	m, err := rank.Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	say := func(a *pipeline.Annotation) error {
		if a.Line == 87 {
			fmt.Printf("line %d: %s, because of %s (%s)\n", a.Line, a.Event.Verb, a.Actor, a.Evidence)
		}
		return nil
	}
	options := pipeline.Options{}
	options.Link.Rank = m.Ranker() // which pipeline does by itself
	for _, o := range []pipeline.Options{{NoModel: true}, options} {
		if _, err := pipeline.Run(context.Background(), []string{"testdata/quota.jsonl"}, nil, o, pipeline.Sink{Annotation: say}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// line 87: create, because of frank (a change of its owner)
	// line 87: create, because of frank (a change of the quota that was in the way)
}
