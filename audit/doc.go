// Package audit reads Kubernetes audit logs: it turns files into Events that
// the rest of whet works on, and holds the vocabulary that all of whet shares.
//
// # What goes in
//
// An API server writes one audit.k8s.io Event, v1 or v1beta1, for each stage
// of each request. Open takes what a user has: files, patterns, folders of
// rotated logs, or "-" for standard input, plain or compressed with gzip or
// zstd. In them the package finds events one a line, as the log backend of the
// API server writes them, EventLists, as its webhook backend sends them, and
// both pretty-printed over many lines or one after the other.
//
// # The way of an event
//
// A Reader cuts its input into Chunks, without decoding anything but the
// structure it needs. A Decoder makes a Batch of Events of each Chunk. Cutting
// is several times as fast as decoding, so that one goroutine reads and as
// many decode as there are cores, each with a Decoder of its own:
//
//	Open ─► Reader.Next ─► Chunk ─► Decoder.DecodeChunk ─► Batch ─► Sorter
//
// A log stands in the order in which the stages were written. A Sorter puts its
// events in the order in which the requests were received, which is nearer to
// cause and effect, and holds a bounded number of them for that.
//
// # What is read
//
// An Event holds all of the event's own fields that whet needs. Of the bodies
// it holds what ties an object to others, in a Body: that is what makes reading
// fast and the memory small. Whoever needs more finds the bytes in Event.Raw.
// Strings of an Event are copies, and those that repeat share memory; Raw is a
// part of its Chunk, so that keeping one Raw for long keeps a quarter of a
// megabyte: clone it then. Who keeps no Raw at all gives the chunk back with
// Reader.Recycle once it is decoded. Maps and lists that repeat share memory
// too, so that nobody may change those of an Event.
//
// # What is wrong with the input
//
// Nothing that stands in a log stops the reading of it. A piece that is no
// event becomes a Malformed with file, line and a reason in words, and every
// physical line is counted in a Batch as blank, good or malformed. A line cut
// off in the middle, as a crash or a full disk leaves it, costs that line; a
// value over several lines that is cut off costs its own lines. The bytes of a
// log are written by whoever can reach the API server: reasons quote them
// short and escaped, but the fields of an Event are as they came.
//
// Custom resources use the names of built-in fields for other things. A value
// of an unexpected type inside a body counts as absent; in the event's own
// fields it makes the event malformed.
package audit
