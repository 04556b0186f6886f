// Command loadgen sends audit events to a webhook, as an API server does, and
// tells how many were taken, how fast, and whether all of them are stored:
//
//	go run ./tools/loadgen send --url https://127.0.0.1:8443/ingest/prod --ca ca.crt --token-file token \
//		--rate 20000 --duration 10m --acked acked.txt recordings/day.metadata.jsonl.zst
//	go run ./tools/loadgen check --acked acked.txt DATASET
//
// What it sends is the recording, as many copies of it at once as the rate needs,
// in the present time and with ids of their own (internal/replicate, Stream), in
// EventLists of --batch events. A list that is not acknowledged is sent again
// until it is, and a sender that is refused waits as Retry-After says: the events
// behind it wait too, so that nothing is lost and the lag shows. Each event whose
// list was acknowledged stands in the file --acked, by auditID and stage.
//
// check compares that file with a data set: every acknowledged event must be
// there, and none twice.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/load"
	"github.com/whet-k8s/whet/internal/term"
)

const usage = `Usage: loadgen send --url URL [flags] RECORDING...
       loadgen check --acked FILE DATASET

send sends events to a webhook at a rate, and check compares those that were
acknowledged with a data set.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, pflag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "loadgen: %s\n", term.SanitizeLines(err.Error()))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var o load.Options
	flags := pflag.NewFlagSet("loadgen", pflag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage+flags.FlagUsages()) }
	flags.StringVar(&o.URL, "url", "", "the webhook's `URL`, https://HOST/ingest/CLUSTER")
	flags.StringVar(&o.TokenFile, "token-file", "", "a `FILE` with the bearer token")
	flags.StringVar(&o.CA, "ca", "", "a `FILE` with the server's authority, in PEM")
	flags.StringVar(&o.Certificate, "cert", "", "a `FILE` with a client certificate, in PEM")
	flags.StringVar(&o.Key, "key", "", "a `FILE` with its key")
	flags.Float64Var(&o.Rate, "rate", 1000, "events a second")
	flags.DurationVar(&o.Duration, "duration", time.Minute, "how long to send")
	flags.IntVar(&o.Batch, "batch", 400, "the most events in a list; an API server's default is 400")
	flags.DurationVar(&o.Wait, "wait", time.Second, "how long an event waits for its list to be full")
	flags.IntVar(&o.Senders, "senders", 2, "how many lists are under way at once")
	flags.BoolVar(&o.Gzip, "gzip", false, "compress the lists")
	flags.StringVar(&o.Acked, "acked", "", "the `FILE` of acknowledged events")
	flags.Uint64Var(&o.Seed, "seed", uint64(time.Now().UnixNano()), "another seed gives other ids") //nolint:gosec // Any number is good.
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.Acked == "" {
		return errors.New("--acked is needed: the file of acknowledged events")
	}
	switch flags.Arg(0) {
	case "send":
		if flags.NArg() < 2 || o.URL == "" {
			return errors.New("send needs --url and a recording (--help for usage)")
		}
		report, err := load.Send(ctx, o, flags.Args()[1:]...)
		fmt.Print(report)
		return err
	case "check":
		if flags.NArg() != 2 {
			return errors.New("check needs a data set (--help for usage)")
		}
		report, err := load.Check(ctx, o.Acked, flags.Arg(1))
		fmt.Print(report)
		return err
	}
	return errors.New("say what to do: send or check (--help for usage)")
}
