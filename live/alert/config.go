package alert

import (
	"slices"
	"strings"
	"time"

	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// Config are the rules and where alerts go.
type Config struct {
	Rules []Rule
	Sinks []Sink
	// Link is the address of the server that shows the contexts, which stands
	// in alerts; "" for none.
	Link string
}

// Rule says which contexts somebody should hear of.
type Rule struct {
	// Name tells the rule from others, Severity is how much it matters.
	Name     string
	Severity Severity
	// Query is an expression over contexts (docs/query.md). Except are usernames
	// that the rule is not about, or globs of them.
	Query  string
	Except []string
	// Summary is the text of the alert, in which {FIELD} stands for a field of
	// contexts.
	Summary string
	// Closed judges contexts when they have closed; otherwise whenever they have
	// grown.
	Closed bool
	// Again is how long after an alert a context that has grown and still fits
	// makes another one; 0 is never.
	Again time.Duration
	// Count has it tell of many contexts in place of each one.
	Count Count
	// Sinks are the names of the sinks that it goes to; nil is all of them.
	Sinks []string

	expr    *query.Expr
	summary []piece
}

// piece is a part of a summary: a text, or a field.
type piece struct {
	text  string
	field *query.FieldRef
}

// Severity is how much an alert matters.
type Severity string

// The severities.
const (
	Low    Severity = "low"
	Medium Severity = "medium"
	High   Severity = "high"
)

func severities() []string { return []string{string(Low), string(Medium), string(High)} }

// Kind is what a sink does with an alert.
type Kind string

// The kinds of sinks.
const (
	// Webhook posts the alert as JSON.
	Webhook Kind = "webhook"
	// Slack posts what Slack and those compatible with it understand.
	Slack Kind = "slack"
	// File appends the alert to a file, a line of JSON.
	File Kind = "file"
)

func kinds() []string { return []string{string(Webhook), string(Slack), string(File)} }

// Sink is where alerts go.
type Sink struct {
	// Name tells the sink from others.
	Name string
	Kind Kind
	// URL is where to post, or the first line of URLFile, which is read each
	// time: whoever knows the address of a Slack webhook may write there.
	URL, URLFile string
	// TokenFile holds a token that is sent as Authorization: Bearer; "" for none.
	TokenFile string
	// Path is the file of a sink of the kind File.
	Path string
}

// compile checks a rule's query and summary. What is wrong stands in err with
// the field that it is about.
func (r *Rule) compile() (field string, err error) {
	if r.expr, err = query.Parse(r.condition(), query.Options{Over: query.Contexts, Now: time.Now(), Live: true}); err != nil {
		return "query", err
	}
	if r.summary, err = piecesOf(r.Summary); err != nil {
		return "summary", err
	}
	if r.Count.Of > 0 {
		if r.Count.by, err = query.ParseField(r.Count.By, query.Contexts); err != nil {
			return "count.by", err
		}
	}
	return "", nil
}

// condition is the query with what it excepts.
func (r *Rule) condition() string {
	if len(r.Except) == 0 {
		return r.Query
	}
	var b strings.Builder
	b.WriteString("(" + r.Query + ")")
	for _, name := range r.Except {
		b.WriteString(" and not actor ~ " + query.Quote(name))
	}
	return b.String()
}

// piecesOf cuts a summary at its braces.
func piecesOf(text string) ([]piece, error) {
	var list []piece
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		if before != "" {
			list = append(list, piece{text: before})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			name, after = rest, ""
		}
		field, err := query.ParseField(strings.TrimSpace(name), query.Contexts)
		if err != nil {
			return nil, err
		}
		list = append(list, piece{field: field})
		text = after
	}
	return list, nil
}

// maxValue bounds a field in a summary, in bytes.
const maxValue = 300

// words is the summary of a context.
func (r *Rule) words(c *store.Context) string {
	var b strings.Builder
	for _, p := range r.summary {
		if p.field == nil {
			b.WriteString(p.text)
			continue
		}
		value := strings.Join(p.field.Context(c), ", ")
		if len(value) > maxValue {
			value = strings.ToValidUTF8(value[:maxValue], "") + "…"
		}
		b.WriteString(value)
	}
	return b.String()
}

// goesTo tells whether a sink is one of the rule's.
func (r *Rule) goesTo(sink string) bool { return r.Sinks == nil || slices.Contains(r.Sinks, sink) }
