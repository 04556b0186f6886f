// Command replicate makes a large audit log out of a recording, for benchmarks:
//
//	go run ./tools/replicate --size 1GB --out big.audit.jsonl recordings/day.audit.jsonl.zst
//
// Package internal/replicate says what differs from copy to copy. With --truth
// PREFIX it writes the truth of the large log beside it, for whet evaluate.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/replicate"
	"github.com/whet-k8s/whet/internal/term"
)

const usage = `Usage: replicate {--size SIZE | --copies N} --out FILE RECORDING...

Makes a large audit log by repeating RECORDING, each copy later than the one
before and with auditIDs, UIDs and namespaces of its own. FILE is - for standard
output.

`

type options struct {
	replicate.Options
	size, out, truth string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, pflag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "replicate: %s\n", term.SanitizeLines(err.Error()))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var o options
	flags := pflag.NewFlagSet("replicate", pflag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage+flags.FlagUsages()) }
	flags.StringVar(&o.size, "size", "", "write at most this many bytes, such as 1GB, in whole lines")
	flags.IntVar(&o.Copies, "copies", 0, "write this many copies")
	flags.StringVar(&o.out, "out", "", "the `FILE` to write")
	flags.StringVar(&o.truth, "truth", "", "write FILE's truth too, made from the truth at this `PREFIX`")
	flags.Uint64Var(&o.Seed, "seed", 1, "another seed gives other UUIDs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() == 0:
		return errors.New("no recording is named (--help for usage)")
	case o.out == "":
		return errors.New("--out is needed: the file to write, or -")
	case o.truth != "" && o.out == "-":
		return errors.New("--truth needs a file in --out, to put the truth beside it")
	case o.Copies < 0 || o.Copies == 0 && o.size == "":
		return errors.New("--size or --copies is needed")
	}
	if o.size != "" {
		size, err := replicate.ParseSize(o.size)
		if err != nil {
			return fmt.Errorf("--size: %w", err)
		}
		o.Size = size
	}
	recording, err := replicate.Read(ctx, flags.Args(), os.Stdin)
	if err != nil {
		return err
	}
	begun := time.Now()
	var done replicate.Written
	err = writeFile(o.out, func(w io.Writer) (err error) {
		done, err = recording.Write(ctx, w, o.Options)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing %s: %w", o.out, err)
	}
	fmt.Fprintf(os.Stderr, "%s lines, %s, copies: %d, %s/s\n", term.Count(done.Lines), term.Bytes(done.Bytes), done.Copies,
		term.Bytes(int64(float64(done.Bytes)/time.Since(begun).Seconds())))
	if o.truth == "" {
		return nil
	}
	return writeTruth(ctx, recording, &o, done)
}

// writeTruth writes the truth beside the log: of x.audit.jsonl it is
// x.truth.jsonl and x.contexts.jsonl.
func writeTruth(ctx context.Context, recording *replicate.Recording, o *options, done replicate.Written) error {
	truth, err := openTruth(o.truth + ".truth.jsonl")
	if err != nil {
		return err
	}
	defer truth.Close()
	contexts, err := openTruth(o.truth + ".contexts.jsonl")
	if err != nil {
		return err
	}
	defer contexts.Close()
	prefix := o.out
	for _, suffix := range []string{".jsonl", ".audit", ".metadata"} {
		prefix = strings.TrimSuffix(prefix, suffix)
	}
	return writeFile(prefix+".truth.jsonl", func(toTruth io.Writer) error {
		return writeFile(prefix+".contexts.jsonl", func(toContexts io.Writer) error {
			return recording.WriteTruth(ctx, truth, contexts, toTruth, toContexts, o.Options, done)
		})
	})
}

// openTruth opens a file of a recording, plain or under its name and .zst.
func openTruth(path string) (io.ReadCloser, error) {
	file, err := os.Open(path) //nolint:gosec // The user names the recording.
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if file, err = os.Open(path + ".zst"); err != nil { //nolint:gosec // The user names the recording.
		return nil, err
	}
	// The file is only read, and the process ends soon after.
	decoder, err := zstd.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s.zst: %w", path, err)
	}
	return decoder.IOReadCloser(), nil
}

// writeFile creates a file, or takes standard output for -, and writes it.
func writeFile(path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(os.Stdout)
	}
	file, err := os.Create(path) //nolint:gosec // The user names the file.
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	err = write(w)
	if flushErr := w.Flush(); err == nil {
		err = flushErr
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}
