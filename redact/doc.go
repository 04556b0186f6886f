// Package redact takes secret values out of audit events before they are
// stored.
//
// An audit log at level Request or RequestResponse holds the values of Secrets
// as they were written and read, and every token that the API server issued.
// What is kept of a log is read by more people, and for longer, than those
// values were meant for.
//
// # What goes
//
// The values under data and stringData of a Secret go, wherever it stands: in a
// request or a response, an item of a list, a row of a table, an object within
// another one, a merge patch or a JSON patch. So do annotations of a Secret, and
// of an event about one, that hold a copy of an object; the tokens of
// TokenRequests and TokenReviews; and in every text of an event JSON web tokens,
// private keys, kubeconfigs with credentials, manifests of Secrets, headers with
// Bearer or Basic, passwords in URLs, and parameters of a URI with a name like
// token. docs/redaction.md says it in full, and what stays: an environment
// variable or the argument of a command may be a password, and nothing tells.
//
// # What stands there instead
//
// A value becomes redacted:hmac-sha256: and 16 hexadecimal digits, a hash with
// the key of the data set. Equal values become equal hashes, so that "the same
// secret again" can still be asked, and [Redactor.Hash] finds a value that is
// known. Neither the value nor its length can be told without the key. The keys
// in data stay, since people ask which one was changed; empty values stay too.
//
// # How
//
// [New] takes the key. [Redactor.Raw] works on the bytes of an event's JSON and
// leaves every other byte as it is; [Redactor.Event] works on a decoded event,
// and [Redactor.Text] on a text that was taken from one; [Redactor.Malformed] is
// for lines that are no event. All are pure: the same key and input give the same
// output, and redacting twice changes nothing.
//
// Logs are hostile: a key that stands twice, has its letters escaped or in
// another case is still found, and the work is bounded by the length of the
// line, however deep it is nested. Where there is doubt, the value goes.
package redact
