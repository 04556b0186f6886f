package server

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// The bounds of a timeline.
const (
	maxDots      = 100_000
	maxLanes     = 1000
	defaultLanes = 200
	maxWidth     = 4000
	defaultWidth = 1000
	// maxBins bounds the bins of all lanes together: with a great width there
	// are fewer lanes, and the rest are together in others.
	maxBins = 400_000
	// maxVerbs bounds the verbs that are told apart.
	maxVerbs = 200
)

// kindSQL is actor.KindOf as a number in the order of lanes: people, service
// accounts, components. A test holds the two equal.
const kindSQL = `CASE WHEN starts_with(username, 'system:serviceaccount:kube-system:') THEN 2 ` +
	`WHEN starts_with(username, 'system:serviceaccount:') THEN 1 ` +
	`WHEN username IN ('system:admin', 'system:anonymous') THEN 0 ` +
	`WHEN starts_with(username, 'system:') THEN 2 ELSE 0 END`

// lanesSQL groups contexts into lanes. %s is the condition.
const lanesSQL = `WITH lanes AS (SELECT coalesce(username, '') AS username, origin IS NOT NULL AS autonomous, count(*) AS total,
	sum(effects)::BIGINT AS effects, count(*) FILTER (code >= 400) AS failed, epoch_us(min("start")) AS first, epoch_us(max("start")) AS last
	FROM contexts%s GROUP BY ALL)
SELECT username, autonomous, total, effects, failed, min(first) OVER (), max(last) OVER (), sum(total) OVER ()::BIGINT, count(*) OVER ()
FROM lanes ORDER BY autonomous, ` + kindSQL + `, total DESC, username LIMIT ?`

// lane is the contexts of one actor.
type lane struct {
	Actor      string     `json:"actor"`
	Name       string     `json:"name"`
	Kind       actor.Kind `json:"kind"`
	Autonomous bool       `json:"autonomous"`
	Total      int        `json:"total"`
	Effects    int        `json:"effects"`
	Failed     int        `json:"failed"`
	Dots       *dots      `json:"dots,omitempty"`
	Bins       *bins      `json:"bins,omitempty"`
}

// dots are columns with a row for each context.
type dots struct {
	ID       []string `json:"id"`
	Start    []int64  `json:"start"`
	Duration []int64  `json:"duration"`
	Verb     []int    `json:"verb"`
	Effects  []int    `json:"effects"`
	Outcome  []int    `json:"outcome"`
}

// bins are columns with a row for each bin that is not empty.
type bins struct {
	At      []int `json:"at"`
	Count   []int `json:"count"`
	Effects []int `json:"effects"`
	Failed  []int `json:"failed"`
	Verb    []int `json:"verb"`
}

func newBins() *bins {
	return &bins{At: []int{}, Count: []int{}, Effects: []int{}, Failed: []int{}, Verb: []int{}}
}

func (b *bins) add(r *binRow, verb int) {
	b.At, b.Count = append(b.At, r.at), append(b.Count, r.count)
	b.Effects, b.Failed = append(b.Effects, r.effects), append(b.Failed, r.failed)
	b.Verb = append(b.Verb, verb)
}

// timelineAnswer is the answer of /timeline.
type timelineAnswer struct {
	From     int64    `json:"from"`
	To       int64    `json:"to"`
	Step     int64    `json:"step"`
	Total    int      `json:"total"`
	Mode     string   `json:"mode"`
	Verbs    []string `json:"verbs"`
	Outcomes []string `json:"outcomes"`
	Density  *bins    `json:"density"`
	Lanes    []*lane  `json:"lanes"`
	Others   struct {
		Lanes int   `json:"lanes"`
		Total int   `json:"total"`
		Bins  *bins `json:"bins"`
	} `json:"others"`
}

// laneKey tells lanes apart.
type laneKey struct {
	actor      string
	autonomous bool
}

// outcomeWordList are the words of outcomes in the order of the numbers in a
// timeline.
func outcomeWordList() []string {
	return []string{
		pipeline.OutcomeOK, pipeline.OutcomeRefused, pipeline.OutcomeNotFound, pipeline.OutcomeExists, pipeline.OutcomeConflict,
		pipeline.OutcomeInvalid, pipeline.OutcomeTooMany, pipeline.OutcomeFailed, pipeline.OutcomeUnknown,
	}
}

// timeline answers /timeline.
func (a *api) timeline(ctx context.Context, p *params) (any, error) {
	where := p.where(query.Contexts)
	if name := p.text("actor", maxText); name != "" {
		where = all(where, is("username = ?", name))
	}
	width := p.number("width", defaultWidth, 10, maxWidth)
	lanes := min(p.number("lanes", defaultLanes, 1, maxLanes), maxBins/width)
	most := p.number("dots", maxDots, 0, maxDots)
	from, to := p.when("from"), p.when("to")
	if err := p.done(); err != nil {
		return nil, err
	}
	t := &timelineAnswer{Mode: "dots", Verbs: []string{}, Outcomes: outcomeWordList(), Density: newBins(), Lanes: []*lane{}}
	t.Others.Bins = newBins()
	if err := a.lanes(ctx, t, where, lanes); err != nil {
		return nil, err
	}
	t.span(from, to, width)
	var err error
	if t.Verbs, err = a.verbs(ctx, where); err != nil {
		return nil, err
	}
	if t.Total > most {
		t.Mode = "bins"
		return t, a.fillBins(ctx, t, where)
	}
	return t, a.fillDots(ctx, t, where)
}

// lanes finds the lanes, the total, and the span of what there is.
func (a *api) lanes(ctx context.Context, t *timelineAnswer, w store.Where, most int) error {
	count, shown := 0, 0
	statement := is(fmt.Sprintf(lanesSQL, clause(w)), append(slices.Clone(w.Args), most)...)
	err := a.each(ctx, "finding the lanes of the timeline", statement, func(rows *sql.Rows) error {
		l := &lane{}
		if err := rows.Scan(&l.Actor, &l.Autonomous, &l.Total, &l.Effects, &l.Failed, &t.From, &t.To, &t.Total, &count); err != nil {
			return err
		}
		l.Name, l.Kind = actor.Short(l.Actor), actor.KindOf(l.Actor)
		t.Lanes = append(t.Lanes, l)
		shown += l.Total
		return nil
	})
	if err != nil {
		return err
	}
	t.Others.Lanes, t.Others.Total = count-len(t.Lanes), t.Total-shown
	return nil
}

// span sets the time that the bins divide: what was asked for, else what there
// is.
func (t *timelineAnswer) span(from, to time.Time, width int) {
	t.To++ // the last start is within
	if !from.IsZero() {
		t.From = from.UnixMicro()
	}
	if !to.IsZero() {
		t.To = to.UnixMicro()
	}
	if t.From == 0 {
		t.From = t.To - 1
	}
	t.To = max(t.To, t.From+1)
	t.Step = (t.To - t.From + int64(width) - 1) / int64(width)
}

// verbs lists the verbs, the most frequent first, and at last one that stands
// for all others should there be very many.
func (a *api) verbs(ctx context.Context, w store.Where) ([]string, error) {
	verbs := []string{}
	statement := is("SELECT coalesce(verb, '') AS v FROM contexts"+clause(w)+" GROUP BY v ORDER BY count(*) DESC, v LIMIT ?",
		append(slices.Clone(w.Args), maxVerbs)...)
	err := a.each(ctx, "finding the verbs of the timeline", statement, func(rows *sql.Rows) error {
		var verb string
		err := rows.Scan(&verb)
		verbs = append(verbs, verb)
		return err
	})
	if len(verbs) == maxVerbs {
		verbs = append(verbs, "(others)")
	}
	return verbs, err
}

// index finds the places of words; a word that is not there has the last.
type index struct {
	places map[string]int
	last   int
}

func indexOf(words []string) index {
	x := index{make(map[string]int, len(words)), len(words) - 1}
	for i, w := range words {
		x.places[w] = i
	}
	return x
}

func (x index) of(word string) int {
	if i, ok := x.places[word]; ok {
		return i
	}
	return x.last
}

// fillDots puts a dot for every context into its lane.
func (a *api) fillDots(ctx context.Context, t *timelineAnswer, w store.Where) error {
	lanes := map[laneKey]*lane{}
	for _, l := range t.Lanes {
		l.Dots = &dots{ID: []string{}, Start: []int64{}, Duration: []int64{}, Verb: []int{}, Effects: []int{}, Outcome: []int{}}
		lanes[laneKey{l.Actor, l.Autonomous}] = l
	}
	verbs, outcomes := indexOf(t.Verbs), indexOf(t.Outcomes)
	var everything, others tally
	statement := is(`SELECT coalesce(username, ''), origin IS NOT NULL, id, epoch_us("start"), duration, coalesce(verb, ''), `+
		`effects, outcome, coalesce(code, 0) FROM contexts`+clause(w)+` ORDER BY "start", id`, w.Args...)
	err := a.each(ctx, "finding the contexts of the timeline", statement, func(rows *sql.Rows) error {
		var key laneKey
		var id, verb, outcome string
		var start, duration int64
		var effects, code int
		if err := rows.Scan(&key.actor, &key.autonomous, &id, &start, &duration, &verb, &effects, &outcome, &code); err != nil {
			return err
		}
		row := binRow{at: int((start - t.From) / t.Step), count: 1, effects: effects}
		if code >= 400 {
			row.failed = 1
		}
		everything.add(&row, verbs.of(verb))
		l := lanes[key]
		if l == nil {
			others.add(&row, verbs.of(verb))
			return nil
		}
		d := l.Dots
		d.ID, d.Start, d.Duration = append(d.ID, id), append(d.Start, start), append(d.Duration, duration)
		d.Verb, d.Effects = append(d.Verb, verbs.of(verb)), append(d.Effects, effects)
		d.Outcome = append(d.Outcome, outcomes.of(outcome))
		return nil
	})
	if err != nil {
		return err
	}
	t.Density, t.Others.Bins = everything.bins(), others.bins()
	return nil
}

// binRow is what falls into one bin.
type binRow struct {
	at, count, effects, failed int
}

// tally adds contexts up by bin.
type tally struct {
	rows  map[int]*binRow
	verbs map[int]map[int]int // by bin, contexts by verb
}

func (t *tally) add(r *binRow, verb int) {
	if t.rows == nil {
		t.rows, t.verbs = map[int]*binRow{}, map[int]map[int]int{}
	}
	row := t.rows[r.at]
	if row == nil {
		row = &binRow{at: r.at}
		t.rows[r.at], t.verbs[r.at] = row, map[int]int{}
	}
	row.count += r.count
	row.effects += r.effects
	row.failed += r.failed
	t.verbs[r.at][verb] += r.count
}

func (t *tally) bins() *bins {
	b := newBins()
	for _, at := range slices.Sorted(maps.Keys(t.rows)) {
		verbs := slices.Collect(maps.Keys(t.verbs[at]))
		b.add(t.rows[at], slices.MinFunc(verbs, func(x, y int) int {
			return cmp.Or(cmp.Compare(t.verbs[at][y], t.verbs[at][x]), cmp.Compare(x, y))
		}))
	}
	return b
}

// binsSQL adds contexts up by lane and bin; %s is the condition. First by verb
// too, to find the verb that most have.
const binsSQL = `WITH cells AS (SELECT coalesce(username, '') AS username, origin IS NOT NULL AS autonomous, (epoch_us("start") - ?) // ? AS bin,
	coalesce(verb, '') AS verb, count(*) AS n, sum(effects)::BIGINT AS effects, count(*) FILTER (code >= 400) AS failed
	FROM contexts%s GROUP BY ALL)
SELECT username, autonomous, bin, verb, n, effects, failed FROM cells ORDER BY bin`

// fillBins puts the numbers of contexts by bin into their lanes.
func (a *api) fillBins(ctx context.Context, t *timelineAnswer, w store.Where) error {
	lanes := map[laneKey]*tally{}
	for _, l := range t.Lanes {
		lanes[laneKey{l.Actor, l.Autonomous}] = &tally{}
	}
	verbs := indexOf(t.Verbs)
	var everything, others tally
	statement := is(fmt.Sprintf(binsSQL, clause(w)), append([]any{t.From, t.Step}, w.Args...)...)
	err := a.each(ctx, "counting the contexts of the timeline", statement, func(rows *sql.Rows) error {
		var key laneKey
		var verb string
		var row binRow
		if err := rows.Scan(&key.actor, &key.autonomous, &row.at, &verb, &row.count, &row.effects, &row.failed); err != nil {
			return err
		}
		everything.add(&row, verbs.of(verb))
		into := lanes[key]
		if into == nil {
			into = &others
		}
		into.add(&row, verbs.of(verb))
		return nil
	})
	if err != nil {
		return err
	}
	t.Density, t.Others.Bins = everything.bins(), others.bins()
	for _, l := range t.Lanes {
		l.Bins = lanes[laneKey{l.Actor, l.Autonomous}].bins()
	}
	return nil
}
