package store

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// column is a column of a view: its name, its DuckDB type, and the expression
// over the columns of the files that gives it.
type column struct {
	name, kind, expr string
}

// bodyType is what is kept of a body, at its place in the object.
const bodyType = `STRUCT(kind VARCHAR, metadata STRUCT("name" VARCHAR, generation BIGINT, labels MAP(VARCHAR, VARCHAR)), ` +
	`spec STRUCT(replicas INTEGER, suspend BOOLEAN, paused BOOLEAN, nodeName VARCHAR), ` +
	`images VARCHAR[], reason VARCHAR, "type" VARCHAR, patchPaths VARCHAR[])`

// bodySQL gives a body as bodyType.
func bodySQL(name string) string {
	return strings.ReplaceAll(`CASE WHEN BODY IS NOT NULL THEN struct_pack(`+
		`kind := BODY->>'$.kind', `+
		`metadata := struct_pack("name" := CASE WHEN json_exists(BODY, '$.named') THEN "name" ELSE BODY->>'$.name' END, `+
		`generation := (BODY->>'$.generation')::BIGINT, labels := (BODY->'$.labels')::MAP(VARCHAR, VARCHAR)), `+
		`spec := struct_pack(replicas := (BODY->>'$.replicas')::INTEGER, suspend := (BODY->>'$.suspend')::BOOLEAN, `+
		`paused := (BODY->>'$.paused')::BOOLEAN, nodeName := BODY->>'$.nodeName'), `+
		`images := (BODY->'$.images')::VARCHAR[], reason := BODY->>'$.reason', "type" := BODY->>'$.type', `+
		`patchPaths := (BODY->'$.patchPaths')::VARCHAR[]) END`, "BODY", name)
}

// pathSQL gives the path of a request from its objectRef, as appendPath does.
const pathSQL = `CASE WHEN apiGroup IS NULL THEN '/api/' ELSE '/apis/' || apiGroup || '/' END || coalesce(apiVersion, '') || ` +
	`CASE WHEN namespace IS NULL OR resource = 'namespaces' THEN '' ELSE '/namespaces/' || namespace END || ` +
	`'/' || coalesce(resource, '') || ` +
	`CASE WHEN "name" IS NULL OR subresource IS NULL AND verb IN ('create', 'list', 'watch', 'deletecollection') ` +
	`THEN '' ELSE '/' || "name" END || ` +
	`CASE WHEN subresource IS NULL THEN '' ELSE '/' || subresource END || ` +
	`CASE WHEN query IS NULL THEN '' ELSE '?' || query END`

// linkSQL gives the auditID that a link names: that of an event of the same
// file by its distance, or the auditID itself.
func linkSQL(file, near, far string) string {
	return fmt.Sprintf("CASE WHEN %[2]s IS NOT NULL THEN whet_event(%[1]s, ordinal::BIGINT - %[2]s) ELSE %[3]s END", file, near, far)
}

// eventColumns are the columns of the view events, in order.
func eventColumns() []column { return eventColumnsOf("file_index::BIGINT") }

// eventColumnsOf are the columns of events, where an expression gives the number
// of an event's segment.
func eventColumnsOf(file string) []column {
	text := func(name string) column { return column{name, "VARCHAR", fmt.Sprintf("%q", name)} }
	list := func(name string) column {
		return column{name, "VARCHAR[]", fmt.Sprintf("%q::VARCHAR[]", name)}
	}
	return []column{
		text("cluster"),
		{"auditID", "VARCHAR", "coalesce(auditID::VARCHAR, auditIDText)"},
		text("stage"), text("level"), text("verb"),
		{"requestURI", "VARCHAR", `CASE WHEN path IS NOT NULL THEN path ELSE ` + pathSQL + ` END`},
		{"requestReceivedTimestamp", "TIMESTAMP", "requestReceivedTimestamp"},
		{"stageTimestamp", "TIMESTAMP", "requestReceivedTimestamp + to_microseconds(elapsed::BIGINT)"},
		text("username"), text("userUID"), list("groups"),
		{"extra", "MAP(VARCHAR, VARCHAR[])", "extra::MAP(VARCHAR, VARCHAR[])"},
		{"impersonatedUsername", "VARCHAR", "nullif(impersonated->>'$.username', '')"},
		{"impersonatedUID", "VARCHAR", "nullif(impersonated->>'$.uid', '')"},
		{"impersonatedGroups", "VARCHAR[]", "(impersonated->'$.groups')::VARCHAR[]"},
		list("sourceIPs"),
		text("userAgent"), text("apiGroup"), text("apiVersion"), text("resource"), text("subresource"),
		text("namespace"), text("name"),
		{"uid", "VARCHAR", "coalesce(uid::VARCHAR, uidText)"},
		{"resourceVersion", "VARCHAR", "coalesce(resourceVersion::VARCHAR, resourceVersionText)"},
		{"code", "INTEGER", "code"},
		text("status"), text("reason"), text("message"),
		{"annotations", "MAP(VARCHAR, VARCHAR)", "annotations::MAP(VARCHAR, VARCHAR)"},
		{"requestObject", bodyType, bodySQL("requestObject")},
		{"responseObject", bodyType, bodySQL("responseObject")},
		{"context", "VARCHAR", "context::VARCHAR"},
		{"operation", "VARCHAR", "whet_operation(context::VARCHAR)"},
		text("actor"), text("role"),
		{"cause", "VARCHAR", linkSQL(file, "cause", "causeID")},
		{"rival", "VARCHAR", linkSQL(file, "rival", "rivalID")},
		text("rule"), text("evidence"),
		{"confidence", "DOUBLE", "confidence"},
		{"autonomous", "VARCHAR", "autonomous::VARCHAR"},
		{"label", "BIGINT", "label"},
		text("file"),
		{"line", "BIGINT", "ordinal::BIGINT + lineBase"},
		{"item", "INTEGER", "item"},
	}
}

// plainEventColumns and plainContextColumns give what a segment holds as it is,
// so that a condition on them skips whole pages (IsOneOf): the view has them
// behind the others.
func plainEventColumns() []column {
	return []column{{"auditUUID", "UUID", "auditID"}, {"contextUUID", "UUID", "context"}}
}

func plainContextColumns() []column {
	return []column{{"auditUUID", "UUID", "auditID"}, {"idPrefix", "INTEGER", "idPrefix"}}
}

// contextColumns are the columns of the view contexts, in order.
func contextColumns() []column {
	text := func(name string) column { return column{name, "VARCHAR", fmt.Sprintf("%q", name)} }
	number := func(name string) column { return column{name, "BIGINT", fmt.Sprintf("%q", name)} }
	const (
		auditID  = "coalesce(auditID::VARCHAR, auditIDText)"
		received = `"start" + to_microseconds(rootOffset)`
		staged   = `"start" + to_microseconds(rootOffset + rootElapsed)`
	)
	return []column{
		text("cluster"),
		{"id", "VARCHAR", "CASE WHEN id IS NOT NULL THEN id::VARCHAR ELSE " +
			"whet_id(CASE WHEN origin IS NULL THEN 'context' ELSE 'autonomous' END, " + auditID + ", " + received + ", " + staged + ") END"},
		{"operation", "VARCHAR", "CASE WHEN beganOperation THEN " +
			"whet_id('operation', " + auditID + ", " + received + ", " + staged + ") ELSE operation::VARCHAR END"},
		text("username"),
		{"groups", "VARCHAR[]", `"groups"::VARCHAR[]`},
		text("impersonated"), text("userAgent"), text("sourceIP"), text("action"),
		number("label"), text("verb"), text("apiGroup"), text("resource"), text("subresource"),
		text("namespace"), text("name"),
		{"code", "INTEGER", "code"},
		text("outcome"), text("reason"), text("message"),
		{"start", "TIMESTAMP", `"start"`},
		{"end", "TIMESTAMP", `"start" + to_microseconds(duration)`},
		{"duration", "BIGINT", "greatest(duration, 0)"},
		number("clients"), number("effects"), number("failed"), number("events"), number("deletes"),
		{"effectsBy", "MAP(VARCHAR, BIGINT)", "effectsBy::MAP(VARCHAR, BIGINT)"},
		{"touched", "MAP(VARCHAR, BIGINT)", "touched::MAP(VARCHAR, BIGINT)"},
		{"origin", "VARCHAR", "origin::VARCHAR"},
		text("originActor"),
		{"readOnly", "BOOLEAN", "readOnly"},
		{"auditID", "VARCHAR", auditID},
		text("file"),
		{"line", "BIGINT", `"line"::BIGINT`},
		{"item", "INTEGER", "item"},
	}
}

// The macros make the ids that follow from a root, as link.ID does: the UUIDv5
// of the namespace 5f1d0c6e-6a0a-5c39-9d5b-2f7d0f1c8a64 and the kind, the
// auditID and the two times, with a zero byte between them.
const (
	timeMacro = `CREATE MACRO whet_time(t) AS strftime(t, '%Y-%m-%dT%H:%M:%S') || ` +
		`rtrim(rtrim(strftime(t, '.%f'), '0'), '.') || 'Z'`
	hashMacro = `CREATE MACRO whet_hash(kind, auditID, received, staged) AS ` +
		`sha1('\x5F\x1D\x0C\x6E\x6A\x0A\x5C\x39\x9D\x5B\x2F\x7D\x0F\x1C\x8A\x64'::BLOB || ` +
		`encode(kind || chr(0) || auditID || chr(0) || whet_time(received) || chr(0) || whet_time(staged)))`
	uuidMacro = `CREATE MACRO whet_uuid5(hash) AS hash[1:8] || '-' || hash[9:12] || '-5' || hash[14:16] || '-' || ` +
		`translate(hash[17], '0123456789abcdef', '89ab89ab89ab89ab') || hash[18:20] || '-' || hash[21:32]`
	idMacro = `CREATE MACRO whet_id(kind, auditID, received, staged) AS whet_uuid5(whet_hash(kind, auditID, received, staged))`
)

// linksView and objectsView are made of the others.
const (
	linksView = `CREATE VIEW links AS SELECT cluster, auditID, stage, requestReceivedTimestamp, context, operation, role, ` +
		`cause, rival, rule, evidence, confidence, autonomous, label FROM events`
	objectsView = `CREATE VIEW objects AS SELECT cluster, apiGroup, resource, namespace, "name", ` +
		`max(uid) AS uid, min(requestReceivedTimestamp) AS first, max(requestReceivedTimestamp) AS last, count(*) AS events, ` +
		`count(*) FILTER (verb = 'create') AS creates, count(*) FILTER (verb = 'update') AS updates, ` +
		`count(*) FILTER (verb = 'patch') AS patches, count(*) FILTER (verb = 'delete') AS deletes, ` +
		`arg_min(context, requestReceivedTimestamp) FILTER (verb = 'create' AND code < 400) AS createdBy, ` +
		`arg_max(context, requestReceivedTimestamp) FILTER (verb = 'delete' AND code < 400) AS deletedBy ` +
		`FROM events WHERE "name" IS NOT NULL GROUP BY ALL`
)

// numberOfFile is the expression for the number of an event's segment, where
// only those with some numbers are read.
func numberOfFile(files []int) string {
	numbers := make([]string, len(files))
	for i, n := range files {
		numbers[i] = strconv.Itoa(n)
	}
	return "([" + strings.Join(numbers, ", ") + "])[file_index::BIGINT + 1]::BIGINT"
}

// selectList begins a query for columns.
func selectList(columns []column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = fmt.Sprintf("%s AS %q", c.expr, c.name)
	}
	return "SELECT " + strings.Join(list, ", ")
}

// viewSQL makes a view over the files. Without a file it has no rows.
func viewSQL(name string, columns []column, files []string) string {
	from := fromFiles(files)
	if len(files) == 0 {
		from = " WHERE false"
		columns = slices.Clone(columns)
		for i := range columns {
			columns[i].expr = "NULL::" + columns[i].kind
		}
	}
	return "CREATE OR REPLACE VIEW " + name + " AS " + selectList(columns) + from
}

// fromFiles reads files, which are SQL literals.
func fromFiles(files []string) string {
	return " FROM read_parquet([" + strings.Join(files, ", ") + "], hive_partitioning = true, hive_types = {'cluster': VARCHAR, 'day': DATE})"
}

// fileLiteral is the name of a segment as an SQL literal.
func fileLiteral(dir, path string) string {
	return literal(filepath.Join(dir, filepath.FromSlash(path)))
}

// literal is a text as an SQL literal, in which no character stands for more
// than itself.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
