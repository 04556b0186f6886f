package store

import (
	"fmt"
	"path/filepath"
	"strings"
)

// column is a column of a view: its name, its DuckDB type, and the expression
// over the columns of the files that gives it.
type column struct {
	name, kind, expr string
}

// bodyType is what is kept of a body, at its place in the object.
const bodyType = `STRUCT(kind VARCHAR, metadata STRUCT("name" VARCHAR, uid VARCHAR, generation BIGINT, labels MAP(VARCHAR, VARCHAR)), ` +
	`spec STRUCT(replicas INTEGER, suspend BOOLEAN, paused BOOLEAN, nodeName VARCHAR), ` +
	`images VARCHAR[], reason VARCHAR, "type" VARCHAR, patchPaths VARCHAR[])`

// eventColumns are the columns of the view events, in order.
func eventColumns() []column {
	text := func(name string) column { return column{name, "VARCHAR", fmt.Sprintf("%q", name)} }
	return []column{
		text("cluster"), text("auditID"), text("stage"), text("level"), text("verb"), text("requestURI"),
		{"requestReceivedTimestamp", "TIMESTAMP", "requestReceivedTimestamp"},
		{"stageTimestamp", "TIMESTAMP", "stageTimestamp"},
		text("username"), text("userUID"),
		{"groups", "VARCHAR[]", `"groups"`},
		{"extra", "MAP(VARCHAR, VARCHAR[])", "extra"},
		text("impersonatedUsername"), text("impersonatedUID"),
		{"impersonatedGroups", "VARCHAR[]", "impersonatedGroups"},
		{"sourceIPs", "VARCHAR[]", "sourceIPs"},
		text("userAgent"), text("apiGroup"), text("apiVersion"), text("resource"), text("subresource"),
		text("namespace"), text("name"), text("uid"), text("resourceVersion"),
		{"code", "INTEGER", "code"},
		text("status"), text("reason"), text("message"),
		{"annotations", "MAP(VARCHAR, VARCHAR)", "annotations"},
		{"requestObject", bodyType, "requestObject"},
		{"responseObject", bodyType, "responseObject"},
		text("context"), text("operation"), text("actor"), text("role"), text("cause"), text("rival"),
		text("rule"), text("evidence"),
		{"confidence", "DOUBLE", "confidence"},
		text("autonomous"),
		{"label", "BIGINT", "label"},
		text("file"),
		{"line", "BIGINT", "line"},
		{"item", "INTEGER", "item"},
	}
}

// contextColumns are the columns of the view contexts, in order.
func contextColumns() []column {
	text := func(name string) column { return column{name, "VARCHAR", fmt.Sprintf("%q", name)} }
	number := func(name string) column { return column{name, "BIGINT", fmt.Sprintf("%q", name)} }
	return []column{
		text("cluster"), text("id"), text("operation"), text("username"),
		{"groups", "VARCHAR[]", `"groups"`},
		text("impersonated"), text("userAgent"), text("sourceIP"), text("action"),
		number("label"), text("verb"), text("apiGroup"), text("resource"), text("subresource"),
		text("namespace"), text("name"),
		{"code", "INTEGER", "code"},
		text("outcome"), text("reason"), text("message"),
		{"start", "TIMESTAMP", `"start"`},
		{"end", "TIMESTAMP", `"end"`},
		number("duration"), number("clients"), number("effects"), number("failed"), number("events"), number("deletes"),
		{"effectsBy", "MAP(VARCHAR, BIGINT)", "effectsBy"},
		{"touched", "MAP(VARCHAR, BIGINT)", "touched"},
		text("origin"), text("originActor"),
		{"readOnly", "BOOLEAN", "readOnly"},
		text("auditID"), text("file"), number("line"),
		{"item", "INTEGER", "item"},
	}
}

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

// viewSQL makes a view over the files. Without a file it has no rows.
func viewSQL(name string, columns []column, files []string) string {
	var list []string
	for _, c := range columns {
		expr := c.expr
		if len(files) == 0 {
			expr = "NULL::" + c.kind
		}
		list = append(list, fmt.Sprintf("%s AS %q", expr, c.name))
	}
	from := " WHERE false"
	if len(files) > 0 {
		from = " FROM read_parquet([" + strings.Join(files, ", ") + "], hive_partitioning = true, hive_types = {'cluster': VARCHAR, 'day': DATE})"
	}
	return "CREATE VIEW " + name + " AS SELECT " + strings.Join(list, ", ") + from
}

// fileLiteral is the name of a segment as an SQL literal in which no character
// stands for more than itself.
func fileLiteral(dir, path string) string {
	name := filepath.Join(dir, filepath.FromSlash(path))
	return "'" + strings.ReplaceAll(name, "'", "''") + "'"
}
