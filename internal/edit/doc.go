// Package edit is the model of a session in which a person labels the events
// of an audit log, as whet label edit does on a terminal. It draws nothing:
// package tui, below it, shows a Session and turns keys into its calls.
//
// # The parts
//
// A Log is the file, opened once and read at any place. A Journal, a file
// beside the log, holds every decision. A Session knows where each event stands
// (Entry), what label it has and who gave it (Mark), what there is to choose
// from (Proposal), and what to look at next.
//
//	OpenLog, OpenJournal ─► NewSession ─► Decide, Remove, Accept, Undo, Redo ─► Output
//	Scan ─────────────────► Append, Begin
//	Analyse ──────────────► Learn          the linker's proposals
//	                        Predict        a model's
//	Predictions.Read ─────► Predict        those in a file
//
// On the left stands what takes time and may run in another goroutine, one
// after the other: the first events can be shown while Scan still reads. In
// the middle is the Session, which is for one goroutine.
//
// # What is safe
//
// A decision is in the journal, and the journal on the disk, before the call
// that takes it returns: whoever kills the program loses nothing that was
// shown as done. The journal names the log by its length and its SHA-256, so
// that it is not taken for the journal of another log; a log that changed
// since is refused, and so is a second session on the same log. A line of the
// journal that was being written at the time of a crash is cut off, since
// nobody was told that it was saved. The log is never written to.
//
// # Order of labels
//
// Three things give an event a label, the first one of them counting: a
// decision (of a person, alone or for many events at once), the log itself
// (the member named by Options.Key, with which logs come that were labelled
// before), and the automatic labels of background events, which are their own,
// as the seed's control plane labeller gives them.
//
// # Memory
//
// For each event the Session holds some 80 bytes, never the event itself: those
// on the screen are read again from the Log. A log of a gigabyte with bodies has
// 300,000 events, and one at Metadata level 1.5 million.
package edit
