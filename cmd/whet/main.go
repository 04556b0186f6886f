// Command whet turns Kubernetes audit logs into contexts: what somebody did,
// together with everything that followed.
//
// The subcommands are one file each; root.go holds what they share. Run
// "whet help" for what there is, and "whet demo" for a first look.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// The collector may let this much garbage grow for each live byte (in percent),
// as long as the whole stays under memoryTarget: most of what whet allocates
// dies young, and its live heap is small. On a log of 1 GB this takes a tenth
// less time than 400 percent, and stays well below 400 MB.
const (
	gcPercent    = 800
	memoryTarget = 320 << 20
)

func main() { os.Exit(mainCode()) }

// mainCode runs the program and returns its exit status, so that what is
// deferred happens before the program exits.
func mainCode() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryTarget)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], &stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr})
}
