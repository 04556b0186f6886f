package query

import (
	"slices"
	"strings"

	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// Over says what a query is about.
type Over uint8

// The values of Over.
const (
	// Contexts asks for contexts: username, verb, resource and the like are
	// those of the root.
	Contexts Over = iota
	// Events asks for events; what is known of an event's context stands
	// behind "context.".
	Events
)

// Type is what a field holds.
type Type string

// The types of fields. The text is what documentation calls them.
const (
	Text     Type = "text"
	Number   Type = "number"   // whole
	Decimal  Type = "decimal"  // compared to four decimals
	Time     Type = "time"     // UTC, to the microsecond
	Duration Type = "duration" // to the microsecond
	Bool     Type = "yes or no"
	List     Type = "list of texts"
	Texts    Type = "map of texts"
	Counts   Type = "map of numbers"
	Lists    Type = "map of lists of texts"
)

// Field is something that a query can ask for.
type Field struct {
	Name string
	Type Type
	// Doc says what it is, in a sentence.
	Doc string
	// Values are all that the field can hold, where they are few.
	Values []string
}

// Fields gives the fields of contexts or of events, in an order for people.
// Those of events end with the fields of their context, whose names begin with
// "context.".
func Fields(over Over) []Field {
	columns := schemaOf(over).columns
	fields := make([]Field, len(columns))
	for i := range columns {
		fields[i] = columns[i].Field
	}
	return fields
}

// row is what a query looks at: a context, or an event and its context, which
// is nil where there is none.
type row struct {
	ev *store.Event
	c  *store.Context
}

// value is what a field holds in a row, in the member of its type. A Bool is 0
// or 1 in number, a Decimal counts ten-thousandths, a Time and a Duration
// microseconds.
type value struct {
	ok     bool // a text, number, decimal, time, duration or bool is there
	text   string
	number int64
	list   []string
	texts  map[string]string
	counts map[string]int
	lists  map[string][]string
}

// column is a field and where to find it.
type column struct {
	Field
	// sql is the expression over the columns of the view; a constant.
	sql string
	get func(*row) value
	// context tells, in a query over events, that the field is one of the
	// event's context, and sql is over the view contexts.
	context bool
	// id tells that store.IsOneOf has a quick way to find the field's values.
	id bool
}

// schema is what a query can ask for.
type schema struct {
	over    Over
	columns []column
}

func schemaOf(over Over) *schema {
	if over == Contexts {
		return &schema{over, contextColumns()}
	}
	columns := append(eventColumns(), bodyColumns()...)
	for _, c := range contextColumns() {
		c.Name, c.context = "context."+c.Name, true
		columns = append(columns, c)
	}
	return &schema{over, columns}
}

// column finds a field by its name, nil where there is none.
func (s *schema) column(name string) *column {
	name = s.canonical(name)
	for i := range s.columns {
		if s.columns[i].Name == name {
			return &s.columns[i]
		}
	}
	return nil
}

// canonical turns the path of a field in an audit event, such as user.username
// or objectRef.name, into the field's name.
func (s *schema) canonical(name string) string {
	if s.over == Contexts {
		if name == "context" {
			return "id"
		}
		name = strings.TrimPrefix(name, "context.")
	}
	switch name {
	case "user.username", "user.groups":
		return strings.TrimPrefix(name, "user.")
	case "user.uid":
		return "userUID"
	case "impersonatedUser.username":
		return map[Over]string{Contexts: "impersonated", Events: "impersonatedUsername"}[s.over]
	case "impersonatedUser.uid":
		return "impersonatedUID"
	case "impersonatedUser.groups":
		return "impersonatedGroups"
	}
	for _, part := range []string{"objectRef.", "responseStatus."} {
		if rest, ok := strings.CutPrefix(name, part); ok {
			return rest
		}
	}
	return name
}

// find takes a path apart into a field and, for a map, the key. The key is ""
// where the path has none.
func (s *schema) find(path string) (c *column, key string) {
	if c = s.column(path); c != nil {
		return c, ""
	}
	path = s.canonical(path)
	for i := range s.columns {
		m := &s.columns[i]
		if !m.Type.isMap() {
			continue
		}
		if rest, ok := strings.CutPrefix(path, m.Name+"."); ok && rest != "" {
			return m, rest
		}
	}
	return nil, ""
}

// names are the names of all fields.
func (s *schema) names() []string {
	names := make([]string, len(s.columns))
	for i := range s.columns {
		names[i] = s.columns[i].Name
	}
	return names
}

// moment is the field that since and until are about.
func (s *schema) moment() *column {
	if s.over == Contexts {
		return s.column("start")
	}
	return s.column("requestReceivedTimestamp")
}

func outcomes() []string {
	return []string{
		pipeline.OutcomeOK, pipeline.OutcomeRefused, pipeline.OutcomeNotFound, pipeline.OutcomeExists, pipeline.OutcomeConflict,
		pipeline.OutcomeInvalid, pipeline.OutcomeTooMany, pipeline.OutcomeFailed, pipeline.OutcomeUnknown,
	}
}

func roles() []string {
	return []string{
		string(link.RoleRoot), string(link.RoleClient), string(link.RoleEffect), string(link.RoleBackground), string(link.RoleDropped),
	}
}

// Function is a function or an operator of the language.
type Function struct {
	// Name is how it is written, Doc what it does, in a sentence.
	Name, Doc string
}

// Functions gives the functions that a condition can be.
func Functions() []Function {
	return []Function{
		{"exists(FIELD)", "The field is there and not empty; also of a key: exists(annotations[\"k8s.io/deprecated\"])."},
		{"touches(RESOURCE)", "A request of the context is about the resource: secrets, deployments, or deployments.apps. Of an event its context is meant. Like by and caused-by it also takes a glob, touches(cert*), or regexp(\"…\")."},
		{"by(USER)", "The user sent an effect of the context. Of an event its context is meant."},
		{"caused-by(USER)", "The user is behind it: the actor of the context or, where the clock started it, who set the clock."},
		{"since TIME, until TIME", "It began at the time or later, or before it: a time, a date, or a duration such as 2h, which counts back from now."},
	}
}

// Operators gives the operators, the ones that bind weakest first.
func Operators() []Function {
	return []Function{
		{"or", "One of the conditions holds."},
		{"and", "Both conditions hold; and binds stronger than or."},
		{"not", "The condition behind it does not hold."},
		{"==", "Equal. Of a list, one of its elements is."},
		{"== regexp(\"…\")", "The regular expression (RE2) matches somewhere in the text."},
		{"!=", "The opposite of ==: also true where the field is missing."},
		{"<, <=, >, >=", "Less or greater, of numbers, times and durations by size, of texts by their bytes. Two can stand around a field: 400 <= code < 500."},
		{"in (A, B)", "Equal to one of the values; not in is the opposite."},
		{"~", "The whole text fits a glob: * is any text, ? one character, a backslash takes the next one as it is."},
		{"contains", "The text has the value in it."},
		{"has", "A list has the value, or a map the key."},
	}
}

// isMap tells whether a field's values stand behind keys.
func (t Type) isMap() bool { return slices.Contains([]Type{Texts, Counts, Lists}, t) }
