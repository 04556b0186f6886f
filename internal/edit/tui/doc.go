// Package tui shows a session of package edit on a terminal and turns keys
// into its calls. Run is all that a caller needs.
//
// A Model holds what is on the screen: which event, which proposal, what is
// being typed. Update takes a key or a message from the work in the background
// (the scan of the log, the linker, a file of predictions, a search, the
// writing of the labelled log), and View draws; nothing else happens between
// the two, so that a test can give keys and look at frames without a terminal.
//
// Everything that the log says is sanitised on its way to the screen, and what
// colours say is said by words or signs too.
package tui
