package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// jobVariable makes a process of the test binary do a job and end, so that a
// test can kill it, or give it less than it needs.
const jobVariable = "WHET_STORE_TEST_JOB"

func TestMain(m *testing.M) {
	job := strings.Split(os.Getenv(jobVariable), "\n")
	if job[0] == "" {
		os.Exit(m.Run())
	}
	if err := runJob(job[0], job[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// The jobs, and what a process prints when it begins with a part of one.
const (
	jobAppend  = "append"
	jobCompact = "compact"

	sayBegin  = "begin"
	sayCommit = "commit"
)

func runJob(job string, args []string) error {
	ctx := context.Background()
	if err := limitFiles(); err != nil {
		return err
	}
	fmt.Println(sayBegin)
	switch job {
	case jobAppend:
		return appendJob(ctx, args[0], args[1])
	case jobCompact:
		_, err := store.Compact(ctx, args[0])
		return err
	}
	return fmt.Errorf("there is no job %q", job)
}

func appendJob(ctx context.Context, dir, log string) error {
	w, err := store.Append(ctx, dir, store.WriterOptions{Keep: store.KeepAll})
	if err != nil {
		return err
	}
	account, err := pipeline.Run(ctx, []string{log}, nil, pipeline.Options{KeepGaps: true}, w.Sink())
	if err != nil {
		_ = w.Abort()
		return err
	}
	fmt.Println(sayCommit)
	_, err = w.Commit(ctx, account)
	return err
}

// process is a process that does a job.
type process struct {
	*exec.Cmd
	out    *bufio.Reader
	errors strings.Builder
}

// begin starts a job, with more in its environment.
func begin(tb testing.TB, environment []string, job ...string) *process {
	tb.Helper()
	p := &process{Cmd: exec.CommandContext(tb.Context(), os.Args[0])}
	p.Env = append(append(os.Environ(), environment...), jobVariable+"="+strings.Join(job, "\n"))
	p.Stderr = &p.errors
	out, err := p.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		tb.Fatal(err)
	}
	return p
}

// await waits until the process says something, or ends.
func (p *process) await(word string) {
	for {
		line, err := p.out.ReadString('\n')
		if err != nil || strings.TrimSpace(line) == word {
			return
		}
	}
}

// end waits for the end of the process. The error is what it wrote to standard
// error.
func (p *process) end() error {
	_, _ = io.Copy(io.Discard, p.out)
	if err := p.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, &p.errors)
	}
	return nil
}

// killed starts a job, and kills it at a random moment of the time that it takes
// from a word on. It tells whether the process was killed before it ended.
func killed(tb testing.TB, random *rand.Rand, word string, takes time.Duration, job ...string) bool {
	tb.Helper()
	p := begin(tb, nil, job...)
	p.await(word)
	time.Sleep(time.Duration(random.Int64N(int64(takes) + 1)))
	_ = p.Process.Kill() // it may have ended
	return p.end() != nil
}

// duration tells how long a job takes from a word on.
func duration(tb testing.TB, word string, job ...string) time.Duration {
	tb.Helper()
	p := begin(tb, nil, job...)
	p.await(word)
	begun := time.Now()
	if err := p.end(); err != nil {
		tb.Fatal(err)
	}
	return time.Since(begun)
}
