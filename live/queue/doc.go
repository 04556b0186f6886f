// Package queue keeps on disk what sources of audit events sent, until it is
// analysed: what is published is acknowledged only when it would survive the
// end of the process, and with the default also that of the machine.
//
// A Queue is a NATS JetStream server inside the process. It listens on no port;
// a folder holds its files. Each cluster has a Stream of its own, whose
// messages are numbered from 1 in the order in which they came: a Piece of a
// log, or a Quiet note, which says that time has passed without one. Reading
// takes nothing out, Release does: thus a reader that remembers the number up
// to which its work is saved finds the rest again after a crash, in the same
// order.
//
// A Stream is bounded. When it is full, when its oldest message is too old, or
// when the disk is nearly full, Publish refuses with a FullError, which says
// when to try again; nothing is ever dropped to make room.
//
// When the disk fails under the server all the same, since somebody else filled it
// within a moment, the server takes nothing more. The Queue then opens another one
// in its place by itself, again and again until that succeeds; meanwhile Publish
// refuses with a FullError, and readers wait.
//
// The bytes of a piece are compressed with zstd before they are written, since
// what costs is the disk.
package queue
