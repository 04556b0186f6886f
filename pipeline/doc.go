// Package pipeline is the one way of an event through whet, for the command
// line, the server and the tests:
//
//	audit.Reader ─► decode and noise policy ─► link.Linker ─► Sink
//	one goroutine   Options.Workers            the caller's
//
// Run reads the inputs, decodes them in parallel, puts the chunks back into
// the order of the input, drops what the noise policy drops, links the rest,
// and hands what comes out to the functions of a Sink: annotations in the
// order of the input, contexts as they close, assignments as they are made.
// It returns an Accounting in which every line and every event of the input
// stands somewhere.
//
// # Memory
//
// Memory follows what is open, not the length of the log. At most
// maxChunksPerWorker chunks a worker, and maxChunkBytes altogether, are
// between the reader and the linker. A noise rule's decision travels through
// the linker in the tag of its event, so that without Sink.Annotation nothing
// is kept for an event once it is linked. With it, a small record waits for
// each event between the oldest one not yet linked and the newest one read.
// With Options.KeepRaw the bytes of these events wait too: up to
// maxRawInMemory in memory, the rest in a temporary file, since standard input
// cannot be read twice.
//
// # Order
//
// Nothing depends on which worker was faster: the same input gives the same
// calls of the Sink in the same order.
package pipeline
