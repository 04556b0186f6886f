// Package tail follows what happens in a cluster, a context at a time: from a
// server of live mode, or from the folder of a data set that is being written
// to.
//
// Both give a context when it has closed, which is when nothing has belonged to
// it for a while, or with Options.Open as soon as it begins and whenever it
// grows. A context may be given once more when it goes on after that.
//
// Server reads the server-sent events of /api/v1/live, comes back when the
// connection breaks, and goes on where it was. DataSet looks at the folder
// whenever something was written.
package tail
