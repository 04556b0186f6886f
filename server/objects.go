package server

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/store"
)

// The bounds of what is told of objects.
const (
	maxObjects   = 1000
	maxRevisions = 200
	maxTouching  = 200
	// maxScanned bounds the events of one context that objects and graphs are
	// made of.
	maxScanned = 50_000
)

// revisionRef names a change of an object.
type revisionRef struct {
	AuditID     string    `json:"auditID"`
	Time        time.Time `json:"time"`
	Verb        string    `json:"verb"`
	Subresource string    `json:"subresource,omitempty"`
	Username    string    `json:"username"`
	Component   string    `json:"component"`
	Action      string    `json:"action"`
	Code        int32     `json:"code"`
	Body        bool      `json:"body"`
}

// touchedObject is an object with what a context did to it.
type touchedObject struct {
	Object    objectAnswer  `json:"object"`
	Requests  int           `json:"requests"`
	Changes   int           `json:"changes"`
	Created   bool          `json:"created"`
	Deleted   bool          `json:"deleted"`
	Revisions []revisionRef `json:"revisions"`
}

// objectsAnswer is the answer of /contexts/{id}/objects.
type objectsAnswer struct {
	Items []*touchedObject `json:"items"`
	Total int              `json:"total"`
	Raw   bool             `json:"raw"`
	Cut   int              `json:"cut"`
}

// contextObjects answers /contexts/{id}/objects.
func (a *api) contextObjects(ctx context.Context, p *params) (any, error) {
	c, err := a.oneContext(ctx, p)
	if err != nil {
		return nil, err
	}
	answer := objectsAnswer{Items: []*touchedObject{}, Raw: a.data.HasRaw()}
	byObject := map[objectAnswer]*touchedObject{}
	err = a.requestsOf(ctx, c, func(ev *store.Event) {
		of := objectOf(ev)
		if of.Resource == "" || of.Name == "" {
			return
		}
		o := byObject[of]
		if o == nil {
			o = &touchedObject{Object: of, Revisions: []revisionRef{}}
			byObject[of] = o
			answer.Items = append(answer.Items, o)
		}
		o.add(ev, answer.Raw)
	})
	if err != nil {
		return nil, err
	}
	answer.Cut = max(0, c.Events-maxScanned)
	slices.SortStableFunc(answer.Items, func(x, y *touchedObject) int {
		return cmp.Compare(min(y.Changes, 1), min(x.Changes, 1))
	})
	answer.Total = len(answer.Items)
	answer.Items = answer.Items[:min(answer.Total, maxObjects)]
	return answer, nil
}

// requestsOf calls each for every request of a context in order of time, by
// the event of its last stage.
func (a *api) requestsOf(ctx context.Context, c *store.Context, each func(*store.Event)) error {
	for ev, err := range a.data.Events(ctx, ofContext(c), store.Page{Limit: maxScanned}) {
		if err != nil {
			return err
		}
		if ev.Stage == audit.StageResponseComplete || ev.Stage == audit.StagePanic {
			each(ev)
		}
	}
	return nil
}

// add takes a request about the object.
func (o *touchedObject) add(ev *store.Event, raw bool) {
	o.Requests++
	if o.Object.UID == "" {
		o.Object.UID = uidOf(ev)
	}
	if !isChange(ev) {
		return
	}
	o.Changes++
	switch {
	case ev.Object.Subresource != "":
	case ev.Verb == "create":
		o.Created = true
	case ev.Verb == "delete":
		o.Deleted = true
	}
	if len(o.Revisions) == maxRevisions {
		return
	}
	o.Revisions = append(o.Revisions, revisionRef{
		AuditID: ev.AuditID, Time: ev.RequestReceived, Verb: ev.Verb, Subresource: ev.Object.Subresource,
		Username: ev.User.Username, Component: actor.ComponentOf(ev.User.Username),
		Action: label.Sentence(ev.Event), Code: ev.Status.Code, Body: raw && (ev.Response != nil || ev.Request != nil),
	})
}

// touching is a context with what it did to an object.
type touching struct {
	Context  *contextAnswer `json:"context"`
	Changes  int            `json:"changes"`
	Requests int            `json:"requests"`
	Verbs    map[string]int `json:"verbs"`
	First    time.Time      `json:"first"`
}

// objectHistory is the answer of /object.
type objectHistory struct {
	Object   objectAnswer       `json:"object"`
	Contexts list[*touching]    `json:"contexts"`
	Events   page[*eventAnswer] `json:"events"`
}

// object answers /object.
func (a *api) object(ctx context.Context, p *params) (any, error) {
	of := objectAnswer{
		APIGroup: p.text("apiGroup", maxName), Resource: p.required("resource", maxName),
		Namespace: p.text("namespace", maxName), Name: p.required("name", maxText), UID: p.text("uid", maxName),
	}
	where := all(about(&of), p.cluster())
	first := p.text("cursor", maxCursor) == ""
	events, err := a.eventPage(ctx, p, where, true)
	if err != nil {
		return nil, err
	}
	if *events.Total == 0 {
		return nil, notFound("noise rules drop events, and some objects are only read",
			"no request about %s %s is in the data set", quoteName(of.Resource), quoteName(of.Name))
	}
	answer := objectHistory{Object: of, Events: *events}
	answer.Contexts.Items = []*touching{}
	if first {
		answer.Contexts, err = a.touching(ctx, where)
	}
	return answer, err
}

// about is the condition that an event is about an object. The name of what a
// create did not name is that of the answer.
func about(o *objectAnswer) store.Where {
	w := all(
		is("resource = ?", o.Resource), is("coalesce(apiGroup, '') = ?", o.APIGroup),
		is(`"name" = ? OR ("name" IS NULL AND verb = 'create' AND coalesce(responseObject.metadata."name", requestObject.metadata."name") = ?)`,
			o.Name, o.Name),
	)
	if o.Resource != "namespaces" || o.APIGroup != "" {
		w = all(w, is(`coalesce("namespace", '') = ?`, o.Namespace))
	}
	if o.UID != "" {
		w = all(w, is("uid = ?", o.UID))
	}
	return w
}

// touchingSQL counts by context the requests that fit; %s is the condition.
const touchingSQL = `SELECT coalesce(autonomous, context) AS id, count(DISTINCT auditID), count(DISTINCT auditID) FILTER (coalesce(code, 0) < 400 AND verb NOT IN ('get', 'list', 'watch')),
	histogram(verb), min(requestReceivedTimestamp), count(*) OVER ()
FROM events%s GROUP BY id ORDER BY min(requestReceivedTimestamp), id LIMIT ?`

// touching finds the contexts with requests that fit.
func (a *api) touching(ctx context.Context, w store.Where) (list[*touching], error) {
	answer := list[*touching]{Items: []*touching{}}
	w = all(w, is("context IS NOT NULL"))
	var ids []string
	statement := is(fmt.Sprintf(touchingSQL, clause(w)), append(slices.Clone(w.Args), maxTouching)...)
	err := a.each(ctx, "finding what touched the object", statement, func(rows *sql.Rows) error {
		var id string
		var verbs duckdb.OrderedMap
		t := &touching{Verbs: map[string]int{}}
		if err := rows.Scan(&id, &t.Requests, &t.Changes, &verbs, &t.First, &answer.Total); err != nil {
			return err
		}
		counts := verbs.Values()
		for i, verb := range verbs.Keys() {
			name, _ := verb.(string)
			n, _ := counts[i].(uint64)
			t.Verbs[name] = int(n)
		}
		t.First = t.First.UTC()
		ids, answer.Items = append(ids, id), append(answer.Items, t)
		return nil
	})
	if err != nil {
		return answer, err
	}
	contexts, err := a.contextsByID(ctx, ids)
	if err != nil {
		return answer, err
	}
	byID := map[string]*contextAnswer{}
	for _, c := range contexts {
		byID[c.ID] = c
	}
	for i, t := range answer.Items {
		t.Context = byID[ids[i]]
	}
	answer.Items = slices.DeleteFunc(answer.Items, func(t *touching) bool { return t.Context == nil })
	return answer, nil
}
