package server

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// eventPage reads limit and cursor and finds a page of the events that fit,
// in order of time. With counted set it says how many there are.
func (a *api) eventPage(ctx context.Context, p *params, where store.Where, counted bool) (*page[*eventAnswer], error) {
	limit := p.number("limit", defaultPage, 1, maxPage)
	of := fingerprint(p.request.URL.Path, p.values)
	at := p.cursor(of)
	if err := p.done(); err != nil {
		return nil, err
	}
	answer := &page[*eventAnswer]{Items: []*eventAnswer{}}
	if counted {
		total, err := a.count(ctx, "events", where)
		if err != nil {
			return nil, err
		}
		answer.Total = &total
	}
	var read place
	if at != nil {
		read = place{begun: true, at: at.Key, skip: at.Skip}
	}
	for ev, err := range a.eventsFrom(ctx, where, read, limit+1) {
		if err != nil {
			return nil, err
		}
		if len(answer.Items) == limit {
			answer.Next = (&cursor{List: of, Key: read.at, Skip: read.skip}).String()
			break
		}
		answer.Items = append(answer.Items, newEventAnswer(ev))
		read.pass(ev)
	}
	return answer, nil
}

// place is how far a list of events was read, which is in order of the time of
// receipt: the time of the last event, in microseconds, and how many of that
// time were read. The zero place is the beginning.
type place struct {
	begun bool
	at    int64
	skip  int
}

// pass goes on behind an event.
func (p *place) pass(ev *store.Event) {
	if t := ev.RequestReceived.UnixMicro(); !p.begun || t != p.at {
		*p = place{begun: true, at: t}
	}
	p.skip++
}

// eventsFrom gives a number of events that fit, from a place on.
func (a *api) eventsFrom(ctx context.Context, where store.Where, from place, limit int) iter.Seq2[*store.Event, error] {
	p := store.Page{Limit: limit, Offset: from.skip}
	if from.begun {
		where = all(where, is("requestReceivedTimestamp >= make_timestamp(?)", from.at))
		where.From = time.UnixMicro(from.at)
	}
	return a.data.Events(ctx, where, p)
}

// listEvents answers /events.
func (a *api) listEvents(ctx context.Context, p *params) (any, error) {
	return a.eventPage(ctx, p, p.where(query.Events), false)
}

// contextEvents answers /contexts/{id}/events.
func (a *api) contextEvents(ctx context.Context, p *params) (any, error) {
	c, err := a.contextOf(ctx, p.path("id"))
	if err != nil {
		return nil, err
	}
	answer, err := a.eventPage(ctx, p, ofContext(c), true)
	if err != nil {
		return nil, err
	}
	for _, ev := range answer.Items {
		if ev.AuditID == c.Root.AuditID {
			ev.Action = c.Action // worded when the whole event was there
		}
	}
	return answer, nil
}

// ofContext is the condition that an event belongs to a context. What the clock
// started carries the context of whoever set the clock, and its own id in
// autonomous.
func ofContext(c *store.Context) store.Where {
	if c.Autonomous() {
		return all(store.IsOneOf("context", c.Origin), is("autonomous = ?", c.ID))
	}
	return all(store.IsOneOf("context", c.ID), is("autonomous IS NULL OR autonomous = ?", c.ID))
}

// fullEvent is the answer of /events/{auditID}.
type fullEvent struct {
	Stages  []*eventAnswer     `json:"stages"`
	Cause   *eventAnswer       `json:"cause,omitempty"`
	Rival   *eventAnswer       `json:"rival,omitempty"`
	Effects list[*eventAnswer] `json:"effects"`
}

// getEvent answers /events/{auditID}.
func (a *api) getEvent(ctx context.Context, p *params) (any, error) {
	id := p.path("auditID")
	if err := p.done(); err != nil {
		return nil, err
	}
	answer := fullEvent{}
	var err error
	if answer.Stages, err = a.byAuditID(ctx, id); err != nil {
		return nil, err
	}
	if len(answer.Stages) == 0 {
		return nil, a.noEvent(id)
	}
	first := answer.Stages[0]
	if answer.Cause, err = a.eventNear(ctx, first.Cause); err != nil {
		return nil, err
	}
	if answer.Rival, err = a.eventNear(ctx, first.Rival); err != nil {
		return nil, err
	}
	answer.Effects, err = a.effectsOf(ctx, first)
	return answer, err
}

// byAuditID gives the events of an auditID. It finds their times first, which
// reads one column instead of all for the events that have another.
func (a *api) byAuditID(ctx context.Context, id string) ([]*eventAnswer, error) {
	var first, last sql.NullTime
	statement := store.IsOneOf("auditID", id)
	statement.SQL = "SELECT min(requestReceivedTimestamp), max(requestReceivedTimestamp) FROM events WHERE " + statement.SQL
	err := a.each(ctx, "finding an event", statement, func(rows *sql.Rows) error { return rows.Scan(&first, &last) })
	if err != nil || !first.Valid {
		return nil, err
	}
	where := all(store.IsOneOf("auditID", id), is("requestReceivedTimestamp BETWEEN ? AND ?", first.Time, last.Time))
	return a.eventAnswers(ctx, where, maxRelated)
}

// effectsSQL finds what a request caused among the events of its context. The
// cause is worked out for those alone.
const effectsSQL = `WITH own AS MATERIALIZED (SELECT auditID, cause, requestReceivedTimestamp AS received FROM events WHERE context = ?)
SELECT auditID, count(*) OVER () FROM own WHERE cause = ? AND auditID <> ? GROUP BY auditID ORDER BY min(received), auditID LIMIT ?`

// effectsOf gives what a request caused directly.
func (a *api) effectsOf(ctx context.Context, ev *eventAnswer) (list[*eventAnswer], error) {
	answer := list[*eventAnswer]{Items: []*eventAnswer{}}
	if ev.Context == "" {
		return answer, nil
	}
	var ids []string
	statement := is(effectsSQL, ev.Context, ev.AuditID, ev.AuditID, maxRelated)
	err := a.each(ctx, "finding the effects of an event", statement, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id, &answer.Total)
		ids = append(ids, id)
		return err
	})
	if err != nil || len(ids) == 0 {
		return answer, err
	}
	where := all(store.IsOneOf("context", ev.Context), store.IsOneOf("auditID", ids...))
	answer.Items, err = a.eventAnswers(ctx, where, maxRelated)
	return answer, err
}

// noEvent is the problem of an auditID that is not there, with the reason that
// it most likely has.
func (a *api) noEvent(id string) *problem {
	return notFound("noise rules drop events, and a data set may keep contexts alone: see /api/v1/info",
		"there is no event with the auditID %s", quoteName(id))
}

// eventAnswers gives the first events that fit.
func (a *api) eventAnswers(ctx context.Context, w store.Where, limit int) ([]*eventAnswer, error) {
	answers := []*eventAnswer{}
	for ev, err := range a.data.Events(ctx, w, store.Page{Limit: limit}) {
		if err != nil {
			return nil, err
		}
		answers = append(answers, newEventAnswer(ev))
	}
	return answers, nil
}

// eventNear gives the first event of an auditID, nil when there is none.
func (a *api) eventNear(ctx context.Context, auditID string) (*eventAnswer, error) {
	if auditID == "" {
		return nil, nil
	}
	events, err := a.byAuditID(ctx, auditID)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return events[0], nil
}
