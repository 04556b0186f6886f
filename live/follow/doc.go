// Package follow reads logs while they are written, and puts what it reads into
// the queue of a cluster.
//
// A Follower follows one source: the file that kube-apiserver writes with
// --audit-log-path, through every rotation; a folder, in which files appear and
// grow; or standard input. It publishes whole lines, and remembers in a small
// file how far each log was read, only after the queue has said that what was
// read is on disk. A process that ends at any moment goes on there; what it
// published and could not remember any more is published again, and recognised
// by whoever reads the queue (pipeline.Session).
//
// # Which file is which
//
// Names and inodes do not tell: a rotation renames a log, or copies and then
// truncates it; later it is compressed; and a new file may get the inode of one
// that was removed. What tells is how a log begins, since the first line of an
// audit log holds an auditID that no other has. So a Follower knows a log by the
// sum of its first bytes, decompressed. A file that begins like a log that it
// knows is that log, whatever it is called by now, and is read on where reading
// it ended; one that begins otherwise is another log, even when it has the name
// and the inode of one that is known, and is read from its beginning.
//
// From this follow all cases:
//
//   - Renamed and created (kube-apiserver itself, logrotate): the rest of the old
//     file is read, from the open file even when it is removed, then the new one.
//   - Copied and truncated (logrotate copytruncate): the file begins anew, and the
//     copy is where the rest of the old log is found.
//   - Rotated several times while nothing followed: the rest of the log that was
//     being read, then those after it in the order of their names, then the
//     current one.
//   - Compressed meanwhile: the same, decompressed.
//   - Cut off or written anew by hand: read from the beginning, with a warning.
//
// The first time a file is followed, logs that were rotated out of it before
// are left alone. A folder is read whole.
//
// # Lines
//
// A line that has no end yet waits for it. The last line of a log that was
// rotated, and that has not grown for a while, counts as whole. A line of more
// than queue.MaxBody bytes cannot be kept: its beginning is published in its
// place, so that it is counted as malformed, with its place.
package follow
