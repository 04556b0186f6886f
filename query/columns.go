package query

import (
	"math"
	"slices"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// textValue is a text, which is missing when it is empty.
func textValue[T ~string](s T) value { return value{ok: s != "", text: string(s)} }

func numberValue[T ~int | ~int32 | ~int64](n T) value { return value{ok: true, number: int64(n)} }

// positiveValue is a number that is missing when it is 0.
func positiveValue[T ~int | ~int32 | ~int64](n T) value { return value{ok: n != 0, number: int64(n)} }

func timeValue(t time.Time) value { return value{ok: !t.IsZero(), number: t.UnixMicro()} }

func durationValue(d time.Duration) value { return value{ok: true, number: d.Microseconds()} }

func boolValue(b bool) value {
	if b {
		return value{ok: true, number: 1}
	}
	return value{ok: true}
}

// decimalScale is how finely decimals are compared: stored confidences have
// four decimals.
const decimalScale = 10_000

func decimalValue(f float64) value {
	return value{ok: true, number: int64(math.Round(f * decimalScale))}
}

// eventColumn makes the column of a field of events, whose name in the view is
// that of the field.
func eventColumn(name string, t Type, doc string, get func(*store.Event) value) column {
	return column{Field: Field{Name: name, Type: t, Doc: doc}, sql: `"` + name + `"`, get: func(r *row) value { return get(r.ev) }}
}

func eventText(name, doc string, get func(*store.Event) string) column {
	return eventColumn(name, Text, doc, func(e *store.Event) value { return textValue(get(e)) })
}

// outcomeSQL gives for an event what pipeline.Outcome.Word says.
const outcomeSQL = `CASE WHEN "code" IS NULL OR "code" = 0 THEN 'unknown' WHEN "code" < 400 THEN 'ok' ` +
	`WHEN "code" IN (401, 403) THEN 'refused' WHEN "code" = 404 THEN 'notfound' ` +
	`WHEN "code" = 409 AND "reason" = 'AlreadyExists' THEN 'exists' WHEN "code" = 409 THEN 'conflict' ` +
	`WHEN "code" = 422 THEN 'invalid' WHEN "code" = 429 THEN 'toomany' ELSE 'failed' END`

// durationSQL is how long the request of an event took.
const durationSQL = `greatest(epoch_us("stageTimestamp") - epoch_us("requestReceivedTimestamp"), 0)`

// eventColumns are the fields of events, bodies aside.
func eventColumns() []column {
	return slices.Concat(requestColumns(), objectColumns(), linkColumns())
}

// requestColumns say who asked, from where, for what, and when.
func requestColumns() []column {
	duration := eventColumn("duration", Duration, "From requestReceivedTimestamp to stageTimestamp.", func(e *store.Event) value {
		if e.RequestReceived.IsZero() || e.StageTime.IsZero() {
			return value{}
		}
		return durationValue(max(0, e.StageTime.Sub(e.RequestReceived)))
	})
	duration.sql = durationSQL
	return []column{
		eventText("username", "Who sent the request; of a request that impersonates somebody the real user.", func(e *store.Event) string { return e.User.Username }),
		eventText("verb", "get, list, watch, create, update, patch, delete, deletecollection, or of a request outside the API in lower case the HTTP method.", func(e *store.Event) string { return e.Verb }),
		eventColumn("requestReceivedTimestamp", Time, "When the request came.", func(e *store.Event) value { return timeValue(e.RequestReceived) }),
		eventColumn("stageTimestamp", Time, "When it had come to its stage.", func(e *store.Event) value { return timeValue(e.StageTime) }),
		duration,
		eventText("requestURI", "The path and the query of the request.", func(e *store.Event) string { return e.RequestURI }),
		eventColumn("groups", List, "The groups of the user.", func(e *store.Event) value { return value{list: e.User.Groups} }),
		eventColumn("extra", Lists, "What the authenticator adds to the user, such as the id of the credential.", func(e *store.Event) value { return value{lists: e.User.Extra} }),
		eventText("userUID", "The uid of the user.", func(e *store.Event) string { return e.User.UID }),
		eventText("impersonatedUsername", "The user acted as.", func(e *store.Event) string { return impersonated(e).Username }),
		eventText("impersonatedUID", "The uid of the user acted as.", func(e *store.Event) string { return impersonated(e).UID }),
		eventColumn("impersonatedGroups", List, "The groups acted as.", func(e *store.Event) value { return value{list: impersonated(e).Groups} }),
		eventColumn("sourceIPs", List, "The addresses that the request came from and over.", func(e *store.Event) value { return value{list: e.SourceIPs} }),
		eventText("userAgent", "What the client says it is.", func(e *store.Event) string { return e.UserAgent }),
		identified(eventText("auditID", "The id of the request, which its events share.", func(e *store.Event) string { return e.AuditID })),
		eventText("stage", "RequestReceived, ResponseStarted, ResponseComplete or Panic.", func(e *store.Event) string { return string(e.Stage) }),
		eventText("level", "Metadata, Request or RequestResponse.", func(e *store.Event) string { return string(e.Level) }),
		eventColumn("annotations", Texts, "The annotations of the event.", func(e *store.Event) value { return value{texts: e.Annotations} }),
		eventText("cluster", "The cluster that the log is of.", func(e *store.Event) string { return e.Cluster }),
	}
}

func impersonated(e *store.Event) audit.User {
	if e.Impersonated == nil {
		return audit.User{}
	}
	return *e.Impersonated
}

// objectColumns say what a request was about and how it ended.
func objectColumns() []column {
	outcome := eventText("outcome", "How the request ended, in a word.", func(e *store.Event) string {
		return pipeline.Outcome{Code: e.Status.Code, Reason: e.Status.Reason}.Word()
	})
	outcome.Values, outcome.sql = outcomes(), outcomeSQL
	return []column{
		eventText("resource", "What the request is about, in the plural: pods.", func(e *store.Event) string { return e.Object.Resource }),
		eventText("subresource", "status, scale, exec, token, …", func(e *store.Event) string { return e.Object.Subresource }),
		eventText("namespace", "The namespace of the object.", func(e *store.Event) string { return e.Object.Namespace }),
		eventText("name", "The name of the object.", func(e *store.Event) string { return e.Object.Name }),
		eventText("apiGroup", "apps, batch, …; missing for the core group.", func(e *store.Event) string { return e.Object.APIGroup }),
		eventText("apiVersion", "The version without the group.", func(e *store.Event) string { return e.Object.APIVersion }),
		eventText("uid", "The uid of the object, where the request carried it.", func(e *store.Event) string { return e.Object.UID }),
		eventText("resourceVersion", "The version of the object, where the request carried it.", func(e *store.Event) string { return e.Object.ResourceVersion }),
		eventColumn("code", Number, "The HTTP status of the answer.", func(e *store.Event) value { return positiveValue(e.Status.Code) }),
		outcome,
		eventText("status", "Success or Failure, where the answer says so.", func(e *store.Event) string { return e.Status.Status }),
		eventText("reason", "NotFound, Forbidden, AlreadyExists, …", func(e *store.Event) string { return e.Status.Reason }),
		eventText("message", "What the answer says of a failure.", func(e *store.Event) string { return e.Status.Message }),
	}
}

// linkColumns say what whet found out.
func linkColumns() []column {
	role := eventText("role", "What the request is to its context.", func(e *store.Event) string { return string(e.Role) })
	role.Values = roles()
	confidence := eventColumn("confidence", Decimal, "How sure the cause is, from 0 to 1.", func(e *store.Event) value { return decimalValue(e.Confidence) })
	item := eventColumn("item", Number, "The place in an EventList, from 1.", func(e *store.Event) value { return positiveValue(e.Position.Item) })
	item.sql = `nullif("item", 0)`
	return []column{
		role,
		eventText("actor", "Who is behind the event: the username of the root of its context.", func(e *store.Event) string { return e.Actor }),
		identified(eventText("context", "The id of the context.", func(e *store.Event) string { return e.Context })),
		eventText("operation", "The id of the invocation that the context is a part of.", func(e *store.Event) string { return e.Operation }),
		eventText("cause", "The auditID of the request that caused this one.", func(e *store.Event) string { return e.Cause }),
		eventText("rival", "The auditID of the next best cause.", func(e *store.Event) string { return e.Rival }),
		eventText("rule", "The rule that found the cause, or the noise rule.", func(e *store.Event) string { return e.Rule }),
		eventText("evidence", "What ties the event to its cause, in a few words.", func(e *store.Event) string { return e.Evidence }),
		confidence,
		eventText("autonomous", "The id of the context that the clock started with this event.", func(e *store.Event) string { return e.Autonomous }),
		eventColumn("label", Number, "The number of the action.", func(e *store.Event) value { return numberValue(e.Label) }),
		eventText("file", "The log that the event stood in.", func(e *store.Event) string { return e.Position.Source }),
		eventColumn("line", Number, "The line of the file, from 1.", func(e *store.Event) value { return positiveValue(e.Position.Line) }),
		item,
	}
}

// identified says that the column holds ids, which the store finds quickly.
func identified(c column) column {
	c.id = true
	return c
}

// contextColumn makes the column of a field of contexts, whose name in the view
// is that of the field.
func contextColumn(name string, t Type, doc string, get func(*store.Context) value) column {
	return column{Field: Field{Name: name, Type: t, Doc: doc}, sql: `"` + name + `"`, get: func(r *row) value {
		if r.c == nil {
			return value{}
		}
		return get(r.c)
	}}
}

func contextText(name, doc string, get func(*store.Context) string) column {
	return contextColumn(name, Text, doc, func(c *store.Context) value { return textValue(get(c)) })
}

func contextNumber(name, doc string, get func(*store.Context) int) column {
	return contextColumn(name, Number, doc, func(c *store.Context) value { return numberValue(get(c)) })
}

// same makes another name of a column.
func same(name string, c column, doc string) column {
	c.Name, c.Doc = name, doc
	return c
}

// contextColumns are the fields of contexts.
func contextColumns() []column {
	username := contextText("username", "Who did it: the sender of the root.", func(c *store.Context) string { return c.Actor.Username })
	start := contextColumn("start", Time, "When the first request came.", func(c *store.Context) value { return timeValue(c.Start) })
	end := contextColumn("end", Time, "When the last request was done, watches aside.", func(c *store.Context) value { return timeValue(c.End) })
	sourceIP := contextText("sourceIP", "The address that the root came from.", func(c *store.Context) string { return c.Actor.SourceIP })
	impersonated := contextText("impersonated", "The user acted as.", func(c *store.Context) string { return c.Actor.Impersonated })
	outcome := contextText("outcome", "How the root ended, in a word.", func(c *store.Context) string { return c.Outcome.Word() })
	outcome.Values = outcomes()
	return slices.Concat([]column{
		same("actor", username, "Who did it, the same as username."), username,
		contextText("action", "What the root asked for, in words.", func(c *store.Context) string { return c.Action }),
		outcome, start, end,
		contextColumn("duration", Duration, "From start to end.", func(c *store.Context) value { return durationValue(c.Duration()) }),
	}, countColumns(), rootColumns(), []column{
		contextColumn("groups", List, "The groups of the actor.", func(c *store.Context) value { return value{list: c.Actor.Groups} }),
		impersonated, same("impersonatedUsername", impersonated, "The same as impersonated."),
		contextText("userAgent", "What the client says it is.", func(c *store.Context) string { return c.Actor.UserAgent }),
		sourceIP, same("sourceIPs", sourceIP, "The same as sourceIP."),
		contextText("origin", "Of a context that the clock started: the id of the context that set the clock.", func(c *store.Context) string { return c.Origin }),
		contextText("originActor", "Of a context that the clock started: who set the clock.", func(c *store.Context) string { return c.OriginActor }),
		identified(contextText("id", "The id of the context.", func(c *store.Context) string { return c.ID })),
		contextText("operation", "The id of the invocation that the context is a part of.", func(c *store.Context) string { return c.Operation }),
		same("requestReceivedTimestamp", start, "The same as start."),
		same("stageTimestamp", end, "The same as end."),
		contextText("cluster", "The cluster that the log is of.", func(c *store.Context) string { return c.Cluster }),
	})
}

// countColumns say how much followed.
func countColumns() []column {
	return []column{
		contextNumber("effects", "How many requests followed.", func(c *store.Context) int { return c.Effects }),
		contextColumn("effectsBy", Counts, "How many requests followed, by who sent them.", func(c *store.Context) value { return value{counts: c.EffectsBy} }),
		contextNumber("failed", "How many of them ended with a code of 400 or above.", func(c *store.Context) int { return c.Failed }),
		contextColumn("touched", Counts, "How many requests, the root's too, by the resource that they are about.", func(c *store.Context) value { return value{counts: c.Touched} }),
		contextNumber("deletes", "How many requests deleted something.", func(c *store.Context) int { return c.Deletes }),
		contextNumber("clients", "How many other requests the command made.", func(c *store.Context) int { return c.Clients }),
		contextNumber("events", "How many events there are of it.", func(c *store.Context) int { return c.Events }),
		contextColumn("readOnly", Bool, "The command changed nothing and caused nothing.", func(c *store.Context) value { return boolValue(c.ReadOnly) }),
	}
}

// liveColumns are known of a context while it happens.
func liveColumns() []column {
	return []column{
		contextColumn("reads", Counts, "How many answers showed the command itself objects, by resource and namespace.", func(c *store.Context) value { return value{counts: c.Reads} }),
		contextColumn("power", Counts, "How many pods were created with power over their node, by what they were given.", func(c *store.Context) value { return value{counts: c.Power} }),
	}
}

// rootColumns are about the principal request.
func rootColumns() []column {
	item := contextColumn("item", Number, "The root's place in an EventList, from 1.", func(c *store.Context) value { return positiveValue(c.Root.Item) })
	item.sql = `nullif("item", 0)`
	return []column{
		contextText("verb", "The verb of the root.", func(c *store.Context) string { return c.Verb }),
		contextText("resource", "What the root is about, in the plural: deployments.", func(c *store.Context) string { return c.Resource }),
		contextText("subresource", "status, scale, exec, token, …", func(c *store.Context) string { return c.Subresource }),
		contextText("namespace", "The namespace of the root's object.", func(c *store.Context) string { return c.Namespace }),
		contextText("name", "The name of the root's object.", func(c *store.Context) string { return c.Name }),
		contextText("apiGroup", "apps, batch, …; missing for the core group.", func(c *store.Context) string { return c.APIGroup }),
		contextColumn("code", Number, "The HTTP status of the answer to the root.", func(c *store.Context) value { return positiveValue(c.Outcome.Code) }),
		contextText("reason", "NotFound, Forbidden, AlreadyExists, …", func(c *store.Context) string { return c.Outcome.Reason }),
		contextText("message", "What the answer says of a failure.", func(c *store.Context) string { return c.Outcome.Message }),
		contextColumn("label", Number, "The number of the action.", func(c *store.Context) value { return numberValue(c.Label) }),
		identified(contextText("auditID", "The id of the root.", func(c *store.Context) string { return c.Root.AuditID })),
		contextText("file", "The log that the root stood in.", func(c *store.Context) string { return c.Root.File }),
		contextColumn("line", Number, "The line of the file, from 1.", func(c *store.Context) value { return positiveValue(c.Root.Line) }),
		item,
	}
}
