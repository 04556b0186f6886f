// Package query is the language in which people ask for contexts and events:
//
//	actor == alice and touches(secrets) and since 2h
//
// Parse reads a query and checks it against the fields that there are (Fields),
// so that whatever is wrong is said before anything runs, as an *Error with the
// place and the nearest word. What it gives, an Expr, can be asked of a data
// set, with Where, and of a stream, with Event and Context. The two answers are
// the same, which a test holds on recordings.
//
// # What a query means
//
// A query is about contexts or about events (Over). It is made of conditions
// on fields, joined by and, or, not and brackets. A field that is missing, or
// an empty text, fits no comparison; not turns an answer round, and != is the
// same as not with ==, so that both are true of a missing field. A condition
// on a list asks for one of its elements.
//
// # The way of a query
//
// lex.go cuts the text into tokens, grammar.go builds a tree of them, check.go
// and call.go make it a tree of typed tests (tree.go, match.go), which either
// looks at a row itself or is written as SQL (sql.go). The fields stand in
// columns.go and body.go, each with its type, its place in the views of the
// data set (docs/dataset.md), and how to get it from a row of a stream.
//
// # Hostile queries
//
// A query may come from anybody. Its length, its depth, its conditions and its
// regular expressions are bounded, these take linear time in Go and in DuckDB,
// and no text of a query becomes SQL: Where's SQL is made of constants and
// question marks.
package query
