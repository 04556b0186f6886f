package server

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/whet-k8s/whet/store"
)

// infoAnswer is the answer of /info.
type infoAnswer struct {
	Version     string     `json:"version"`
	Clusters    []string   `json:"clusters"`
	First       *time.Time `json:"first,omitempty"`
	Last        *time.Time `json:"last,omitempty"`
	Contexts    int        `json:"contexts"`
	Events      int        `json:"events"`
	RawBytes    int64      `json:"rawBytes"`
	StoredBytes int64      `json:"storedBytes"`
	Keep        store.Keep `json:"keep"`
	Raw         bool       `json:"raw"`
	Live        bool       `json:"live"`
	Source      []string   `json:"source"`
	Warnings    []string   `json:"warnings"`
	Limits      limits     `json:"limits"`
}

// limits are the bounds of answers that the app should know.
type limits struct {
	Contexts int `json:"contexts"`
	Events   int `json:"events"`
	Dots     int `json:"dots"`
	Lanes    int `json:"lanes"`
	Facet    int `json:"facet"`
}

// infoSQL is what the views know of the data set as a whole. The time of
// contexts is within that of events where there are events.
const infoSQL = `SELECT (SELECT count(*) FROM contexts), (SELECT count(*) FROM events),
	least((SELECT min("start") FROM contexts), (SELECT min(requestReceivedTimestamp) FROM events)),
	greatest((SELECT max("end") FROM contexts), (SELECT max(stageTimestamp) FROM events))`

// info answers /info.
func (a *api) info(_ context.Context, p *params) (any, error) {
	return a.facts.Load(), p.done()
}

// findFacts looks at the data set as a whole, once: an opening of it does not
// change.
func (a *api) findFacts(ctx context.Context) (*infoAnswer, error) {
	stats, err := a.data.Stats(ctx)
	if err != nil {
		return nil, err
	}
	answer := &infoAnswer{
		Version: a.options.Version, Clusters: []string{}, RawBytes: stats.RawBytes, StoredBytes: stats.Bytes,
		Keep: store.KeepContexts, Raw: a.data.HasRaw(), Live: a.options.Hub != nil,
		Source: append([]string{}, a.options.Source...), Warnings: append([]string{}, a.options.Warnings...),
		Limits: limits{maxPage, maxPage, maxDots, maxLanes, maxFacet},
	}
	switch {
	case answer.Raw:
		answer.Keep = store.KeepAll
	case stats.Events > 0:
		answer.Keep = store.KeepEvents
	}
	for _, d := range a.data.Damaged() {
		answer.Warnings = append(answer.Warnings, fmt.Sprintf("%s cannot be read (%s): what it held is missing", d.Path, d.Reason))
	}
	a.stats = stats
	return answer, a.look(ctx, answer)
}

// look counts what the views have, and finds its times and clusters.
func (a *api) look(ctx context.Context, answer *infoAnswer) error {
	var first, last sql.NullTime
	err := a.each(ctx, "looking at the data set", is(infoSQL), func(rows *sql.Rows) error {
		return rows.Scan(&answer.Contexts, &answer.Events, &first, &last)
	})
	if err != nil {
		return err
	}
	if first.Valid && last.Valid {
		answer.First, answer.Last = &first.Time, &last.Time
	}
	answer.Clusters = []string{}
	return a.each(ctx, "listing the clusters", is("SELECT DISTINCT cluster FROM contexts ORDER BY cluster LIMIT 1000"), func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		answer.Clusters = append(answer.Clusters, name)
		return err
	})
}
