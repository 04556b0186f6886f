// Package engine turns what a queue holds into contexts, as it comes, and
// survives being killed at any moment.
//
// An Engine reads the stream of one cluster in order, gives each piece to a
// pipeline.Session, and every few seconds makes a checkpoint:
//
//  1. what the session found since the last one goes into the data set, all at
//     once: events that are decided about, and each context that grew, with
//     all that is known of it by now, which whoever wants to know is told
//     (Options.Contexts);
//  2. the state of the session and the number of the last message it took are
//     written to a file, which takes the place of the one before by a rename;
//  3. the messages up to that number are released from the queue.
//
// The last two are put off while writing the state would take more than a tenth
// of the time, as it does under load.
//
// A process that dies between two steps leaves behind what the next one
// repairs by doing the same again: it goes on from the last file, reads the
// messages after it once more, and finds the same, since the session has no
// clock and the ids are deterministic. What the data set has already, it
// recognises: an event by its auditID, stage and times, a context by its id and
// the number of its events.
//
// Time passes in the stream, too. When nothing comes, the engine publishes a
// note of how long; reading it, the session settles what waits. Thus a run that
// is repeated sees the same time pass.
package engine
