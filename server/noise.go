package server

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/noise"
)

// The rules of the linker for what belongs to no context.
const (
	ruleClock   = "clock"
	ruleUnknown = link.RuleUnknown
)

// actionBackground is the action of a rule of the linker, beside those of the
// noise policy.
const actionBackground = "background"

// noiseRule is a rule with what it decided.
type noiseRule struct {
	ID      string `json:"id"`
	Action  string `json:"action"`
	Reason  string `json:"reason"`
	Enabled bool   `json:"enabled"`
	Events  int64  `json:"events"`
	Bytes   int64  `json:"bytes,omitempty"`
	Kept    bool   `json:"kept"`
}

// noiseAnswer is the answer of /noise.
type noiseAnswer struct {
	Events   int64        `json:"events"`
	Dropped  int64        `json:"dropped"`
	SetAside int64        `json:"setAside"`
	Rules    []*noiseRule `json:"rules"`
}

// noise answers /noise: every rule of the policy, then the linker's, then rules
// of other policies that decided about events of this data set.
func (a *api) noise(ctx context.Context, p *params) (any, error) {
	if err := p.done(); err != nil {
		return nil, err
	}
	answer := noiseAnswer{Events: a.stats.Read}
	byID := map[string]*noiseRule{}
	add := func(r noiseRule) *noiseRule {
		answer.Rules = append(answer.Rules, &r)
		byID[r.ID] = &r
		return &r
	}
	for _, r := range a.policy.Rules() {
		add(noiseRule{ID: r.ID, Action: r.Action.String(), Reason: r.Reason, Enabled: r.Enabled})
	}
	add(noiseRule{ID: ruleClock, Action: actionBackground, Reason: "A component did it on a timer, and nothing else caused it.", Enabled: true})
	add(noiseRule{ID: ruleUnknown, Action: actionBackground, Reason: "A component did it, and no cause was found.", Enabled: true})
	known := len(answer.Rules)
	statement := is(`SELECT rule, role, count(*) FROM events WHERE role IN ('background', 'dropped') GROUP BY rule, role ORDER BY rule, role`)
	err := a.each(ctx, "counting the noise", statement, func(rows *sql.Rows) error {
		var id, role string
		var n int64
		if err := rows.Scan(&id, &role, &n); err != nil {
			return err
		}
		r := byID[id]
		if r == nil {
			r = add(noiseRule{ID: id, Action: actionOf(role), Enabled: true})
		}
		r.Events, r.Kept = r.Events+n, true
		return nil
	})
	if err != nil {
		return nil, err
	}
	// The logs' own sums count what is not kept, too.
	for id, t := range a.stats.Dropped {
		r := byID[id]
		if r == nil {
			r = add(noiseRule{ID: id, Action: noise.Drop.String(), Enabled: true})
		}
		r.Events, r.Bytes = t.Events, t.Bytes
		answer.Dropped += t.Events
	}
	for id, n := range a.stats.SetAside {
		r := byID[id]
		if r == nil {
			r = add(noiseRule{ID: id, Action: noise.SetAside.String(), Enabled: true})
		}
		r.Events = n
		answer.SetAside += n
	}
	slices.SortStableFunc(answer.Rules[known:], func(a, b *noiseRule) int { return cmp.Compare(a.ID, b.ID) })
	return answer, nil
}

// actionOf is what a rule of another policy did, by the role that its events
// have.
func actionOf(role string) string {
	if role == string(link.RoleDropped) {
		return noise.Drop.String()
	}
	return noise.SetAside.String()
}

// noiseEvents answers /noise/{rule}/events.
func (a *api) noiseEvents(ctx context.Context, p *params) (any, error) {
	where := all(is("rule = ? AND role IN ('background', 'dropped')", p.path("rule")), p.span("requestReceivedTimestamp"), p.cluster())
	return a.eventPage(ctx, p, where, true)
}
