// Package server shows a data set in a browser: a JSON API under /api/v1 that
// reads, and the web app that asks it.
//
// New makes a Server, which is an http.Handler, of a data set and the files of
// the app; Serve runs it on a listener until its context ends. openapi.yaml
// describes every path, parameter and field, is served at
// /api/v1/openapi.yaml, and a test holds it to the code.
//
//	data, err := store.Open(ctx, "audit.whet")
//	handler, err := server.New(ctx, data, server.Options{Assets: web.Files(), Listen: "127.0.0.1:8080"})
//	err = server.Serve(ctx, listener, handler)
//
// Watch has it show a data set that grows as it is by now, and with
// Options.Hub it tells of contexts while they happen (/api/v1/live).
//
// # A request's way
//
//	guard     Host, Origin and Sec-Fetch-Site; headers of every answer
//	sessions  the token, where one is asked for
//	params    every parameter bounded and checked, unknown ones refused
//	gate      a bounded number of queries at once, a bounded time for each
//	handler   a query on the data set, which ends when the client goes away
//	answer    JSON without a character that HTML, a terminal or a reader of
//	          text could misread; gzip or zstd
//
// Every list is bounded and paged by a cursor, which names the last row of the
// page before and holds when rows are added.
//
// # Who may ask
//
// The log says what everybody did, and bodies say more. CheckListen refuses an
// address beyond loopback unless the server asks for a token or for
// certificates of clients. On loopback the danger is the user's own browser,
// in which any page may try to reach the server: the guard refuses names that
// are not the server's (DNS rebinding) and pages that are not the app's.
// Nothing can be changed through the API.
package server
