// Package store keeps what whet found in a log: a data set, which is a folder
// of Parquet files and a manifest. docs/dataset.md describes the files.
//
// A run of the pipeline writes through a Writer: Append opens the folder, Sink
// gives the functions that pipeline.Run calls, and Commit puts all of it in
// place at once, or nothing. Open reads a data set: as rows with Contexts and
// Events, or with SQL through DB, which has the views contexts, events, links
// and objects.
package store
