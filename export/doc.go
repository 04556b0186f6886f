// Package export writes what a data set or a log holds in formats that other
// programs read: CSV for spreadsheets, a context as a graph (DOT, GraphML), and
// contexts as OpenTelemetry traces. Parquet and the raw log come from package
// store.
//
// Everything works on iterators of [store.Context] and [store.Event], so that
// it does not matter whether they come from a data set or from a log. [CSV] and
// [Cell] serve whoever else writes CSV.
//
// Logs are hostile: whoever can reach the API server chooses names, user agents
// and messages. Each format escapes them by its own rules, and what is not
// printable is written as a visible escape, so that a file may be looked at in a
// terminal, too.
package export
