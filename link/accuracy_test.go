package link

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/evaluate"
)

// goals are what the figures must reach, with bodies and without.
type goals struct{ attribution, hard, b3, exact, roots, blame float64 }

var (
	withBodies    = goals{0.99, 0.985, 0.985, 0.90, 0.99, 0.002}
	withoutBodies = goals{0.98, 0.965, 0.96, 0.60, 0.99, 0.005}
)

// hold links events and holds the figures against the goals.
func hold(t *testing.T, recorded string, events []*audit.Event, g goals) {
	t.Helper()
	truth, err := evaluate.Load(context.Background(), filepath.Join("..", "recordings", recorded))
	if err != nil {
		t.Fatal(err)
	}
	said, _, _ := run(events, Options{})
	figures, err := evaluate.Score(truth, func(yield func(evaluate.Annotation, error) bool) {
		for line, a := range said {
			if !yield(evaluate.Annotation{Line: line, Context: a.Context, Role: evaluate.Role(a.Role)}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("attribution %v, hard %v, b3 %v, exact %v, roots %v and %v, false blame %v", figures.Attribution, figures.HardAttribution, figures.B3, figures.Exact, figures.RootRecall, figures.RootPrecision, figures.FalseBlame)
	for _, f := range []struct {
		name      string
		got, want float64
	}{
		{"attribution", figures.Attribution.Value, g.attribution},
		{"hard attribution", figures.HardAttribution.Value, g.hard},
		{"b3", figures.B3.Value, g.b3},
		{"exact", figures.Exact.Value, g.exact},
		{"root recall", figures.RootRecall.Value, g.roots},
		{"root precision", figures.RootPrecision.Value, g.roots},
		{"freedom from false blame", 1 - figures.FalseBlame.Value, 1 - g.blame},
	} {
		if f.got < f.want {
			t.Errorf("%s: %.4f, want at least %.4f", f.name, f.got, f.want)
		}
	}
}

// TestGoals holds the linker to its goals on the recordings as they are.
func TestGoals(t *testing.T) {
	for _, name := range []string{"day", "crowd"} {
		t.Run(name+" with bodies", func(t *testing.T) { hold(t, name, recording(t, name+".audit"), withBodies) })
		t.Run(name+" at Metadata level", func(t *testing.T) { hold(t, name, recording(t, name+".metadata"), withoutBodies) })
	}
}

// disguise changes what tells who a client is, and nothing else.
func disguise(events []*audit.Event, change func(username string) (name, agent string)) []*audit.Event {
	for _, ev := range events {
		if name, agent := change(ev.User.Username); name != "" {
			ev.User = audit.User{Username: name, Groups: []string{"system:authenticated"}}
			ev.UserAgent = agent
		}
	}
	return events
}

// TestGoalsInDisguise holds the linker to its goals where components have
// other accounts than the recordings' and where the level is another.
func TestGoalsInDisguise(t *testing.T) {
	const controllers = "system:serviceaccount:kube-system:"
	oneAccount := func(username string) (string, string) {
		if strings.HasPrefix(username, controllers) || username == "system:kube-controller-manager" {
			return "system:kube-controller-manager", "manager/v1.33"
		}
		return "", ""
	}
	// The garbage collector and its like are in groups of one, so that what
	// tells them is what they do. Root precision is left to the clock: what a
	// stranger does by it looks like a person's deed.
	strange := func(username string) (string, string) {
		if name, ok := strings.CutPrefix(username, controllers); ok {
			return "acme:" + strings.NewReplacer("controller", "worker", "-", "_", "garbage", "leftover").Replace(name), "acme/1.0"
		}
		switch username {
		case "system:kube-controller-manager":
			return "acme:manager", "acme/1.0"
		case "system:kube-scheduler":
			return "acme:placer", "acme/1.0"
		}
		return "", ""
	}
	for _, name := range []string{"day", "crowd"} {
		for _, d := range []struct {
			name   string
			change func(string) (string, string)
			roots  float64
		}{{"one account", oneAccount, 0.99}, {"strange accounts", strange, 0.98}} {
			t.Run(name+" "+d.name, func(t *testing.T) {
				bodies, bare := withBodies, withoutBodies
				bodies.roots, bare.roots = d.roots, d.roots
				hold(t, name, disguise(recording(t, name+".audit"), d.change), bodies)
				hold(t, name, disguise(recording(t, name+".metadata"), d.change), bare)
			})
		}
		t.Run(name+" at Request level", func(t *testing.T) {
			events := recording(t, name+".audit")
			for _, ev := range events {
				ev.Level, ev.Response = audit.LevelRequest, nil
			}
			hold(t, name, events, withBodies)
		})
	}
}
