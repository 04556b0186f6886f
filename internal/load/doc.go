// Package load sends audit events to a webhook as an API server does, at a rate,
// and finds out whether all that were acknowledged are stored. tools/loadgen is
// its command; tests of live mode use it too.
//
// What is sent is a recording, as many copies of it at once as the rate needs, in
// the present time and with ids of their own (package internal/replicate,
// Stream).
package load
