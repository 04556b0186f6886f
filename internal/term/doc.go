// Package term prints for people: on a terminal of any width, with or without
// colours, and with content that may be hostile.
//
// Audit logs are written by whoever can reach the API server, so a name, a
// user agent or a message may hold escape sequences that clear the screen,
// override the direction of text, or fake a line of output. Everything that
// comes from a log goes through Sanitize before it is printed; a Table does so
// by itself for each of its cells.
package term
