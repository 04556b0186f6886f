// Package auth tells who sends events to whet or reads from it, and what they
// may do.
//
// A Client has a name, roles, and one or both of two credentials:
//
//   - bearer tokens in a file, one a line, each with the time at which it ends
//     where it has one. Two lines let an old and a new token hold for a while;
//   - certificates with a common name, issued by an authority of its own or by
//     the one that all clients share.
//
// A client with the role ingest sends the events of the clusters it is named
// for; one with the role read sees everything.
//
// An Authenticator finds the Client of a request. TLS makes the configuration
// of the listener. Both look at their files again when they are used, once a
// second at most, so that a credential is replaced by writing its file, and
// taken back by deleting it. A file that cannot be used, a half-written one
// say, leaves what was read of it before in force, and the log says so.
//
// A file of tokens may look like this:
//
//	# of the API servers; the old one holds until all of them have the new one
//	9f2c5e8d41b07a63c2d9e5f80a1b7c4d 2027-01-31
//	5a0be17c94f3d26e8b71c0a4f9d3625e
//
// The time at which a token ends is in RFC 3339, or a date, whose day is then
// the first on which it does not hold (UTC). A token has at least 20 characters
// and no spaces; openssl rand -hex 32 makes one.
//
// Tokens are compared by their SHA-256 sums, all of them every time, so that the
// time it takes tells nothing about them. No message holds one.
package auth
