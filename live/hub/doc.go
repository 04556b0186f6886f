// Package hub tells everybody who listens which contexts grew or closed, as it
// happens.
//
// A live engine publishes after each checkpoint; readers subscribe: the web
// app over server-sent events, and whet tail. A Hub remembers the newest
// updates in a ring of fixed size, and each subscriber reads the ring at its own
// pace. So publishing never waits, and memory does not grow with the number of
// subscribers or with their slowness: a subscriber that falls behind by more
// than the ring is told how many updates it missed, goes on with the oldest one
// that there is, and finds what it missed in the data set.
//
// Every update has an id that grows, across restarts too, so that a reader whose
// connection broke can say where it was (the header Last-Event-ID), and gets
// what came meanwhile.
package hub
