// Package webhook takes audit events over HTTP from the webhook backend of an
// API server (--audit-webhook-config-file), and from whoever sends the same: a
// POST of an EventList, plain or with Content-Encoding gzip, to
// /ingest/CLUSTER.
//
// The answer 200 means that every event of the list is on disk in the cluster's
// queue.Stream. Any other one means that not all are, and says why in a line of
// text; the sender is to send the list again, and events that were stored
// already are recognised then. An API server sends again whatever the answer
// was, a few times with growing pauses, and sooner where Retry-After says so.
//
//	400  no EventList, half of one, no name of a cluster, an event from the future
//	401  no credential, a wrong one, one that has expired
//	403  the client may not send events of this cluster
//	404  no such cluster
//	405  another method than POST
//	408  the body took too long to come
//	413  the body is too large, or becomes too large when it is decompressed
//	415  another type than application/json, another encoding than gzip
//	429  the queue is full, or the client sends too much; with Retry-After
//	503  the queue failed; with Retry-After
//
// An event whose time is far ahead of the clock would let time pass for all
// others, so that it is refused; the rest of its list is stored. What stands in
// a list and is no event goes on to the queue like the rest: whoever analyses it
// counts it and says what is wrong with it.
//
// Each item of a list becomes a line, byte for byte as it was sent, but for the
// kind and the version that an API server leaves out of items and for line
// breaks between values. The lines of a list are one pipeline.Piece, or as many
// as the bound of the queue makes them.
//
// # Bounds
//
// Limits bound the bytes of a body, the bytes that come of a compressed one and
// how many times more than it has that may be, all bodies that are being taken,
// those of one client, the time that a body takes to come, and what a client
// sends on average. Server makes an http.Server that bounds what comes before a
// body: the headers and the time they take. No client can make a name of its own
// choice a key of what is counted or remembered.
package webhook
