// Datasetbench makes a data set of many millions of events and prints how long
// questions to it take:
//
//	go run ./tools/datasetbench [--copies 1010] [--rounds 5] [--dir DIR] RECORDING
//
// It builds whet, repeats the recording with tools/replicate straight into whet
// analyze --out, so that the log is never on the disk, asks with the command line
// as a user does, and removes all. Each time is that of a whole process, from its
// start to its end: the median of the rounds, and the processor's time beside it,
// which says more on a machine that is not idle.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	var b bench
	flag.IntVar(&b.copies, "copies", 1010, "how often the log repeats the recording")
	flag.IntVar(&b.rounds, "rounds", 5, "how often each command runs")
	flag.BoolVar(&b.compact, "compact", false, "ask once more after whet compact")
	dir := flag.String("dir", "", "folder in which a temporary one is made for the data set")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "datasetbench: one RECORDING is needed, such as recordings/day.metadata.jsonl.zst")
		os.Exit(2)
	}
	if err := b.run(ctx, flag.Arg(0), *dir); err != nil {
		fmt.Fprintln(os.Stderr, "datasetbench:", err)
		os.Exit(1)
	}
}

type bench struct {
	copies, rounds int
	compact        bool
	whet, data     string
}

func (b *bench) run(ctx context.Context, recording, dir string) error {
	dir, err := os.MkdirTemp(dir, "whet-dataset")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b.whet, b.data = filepath.Join(dir, "whet"), filepath.Join(dir, "data")
	replicate := filepath.Join(dir, "replicate")
	for program, source := range map[string]string{b.whet: "./cmd/whet", replicate: "./tools/replicate"} {
		if _, _, err := measure(exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, source)); err != nil { //nolint:gosec // The command is this one.
			return err
		}
	}
	fmt.Printf("%-34s %9s %9s %9s\n", "", "wall s", "cpu s", "peak MiB")
	if err := b.make(ctx, replicate, recording); err != nil {
		return err
	}
	if err := b.questions(ctx); err != nil || !b.compact {
		return err
	}
	u, _, err := measure(exec.CommandContext(ctx, b.whet, "compact", b.data)) //nolint:gosec // The command is this one.
	if err != nil {
		return err
	}
	u.print("whet compact")
	return b.questions(ctx)
}

// make makes the data set out of a stream.
func (b *bench) make(ctx context.Context, replicate, recording string) error {
	from := exec.CommandContext(ctx, replicate, "--copies", fmt.Sprint(b.copies), "--out", "-", recording) //nolint:gosec // The command is this one.
	to := exec.CommandContext(ctx, b.whet, "analyze", "--out", b.data, "--cluster", "prod-eu", "-")        //nolint:gosec // The command is this one.
	log, err := from.StdoutPipe()
	if err != nil {
		return err
	}
	to.Stdin = log
	if err := from.Start(); err != nil {
		return fmt.Errorf("running tools/replicate: %w", err)
	}
	u, _, err := measure(to)
	if waitErr := from.Wait(); err == nil && waitErr != nil {
		err = fmt.Errorf("running tools/replicate: %w", waitErr)
	}
	if err != nil {
		return err
	}
	u.print("whet analyze --out")
	return nil
}

// questions asks the data set.
func (b *bench) questions(ctx context.Context) error {
	size, files, err := sizeOf(b.data)
	if err != nil {
		return err
	}
	counts, err := b.sql(ctx, "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM contexts)")
	if err != nil {
		return err
	}
	fmt.Printf("%s events and %s contexts in %d files with %.1f MB\n", counts[0], counts[1], files, float64(size)/1e6)
	// Somebody's context in the middle of the log, with effects.
	some, err := b.sql(ctx, `SELECT auditID, username, strftime("start" - INTERVAL 30 MINUTE, '%Y-%m-%dT%H:%M:%SZ'), `+
		`strftime("start" + INTERVAL 30 MINUTE, '%Y-%m-%dT%H:%M:%SZ') FROM contexts WHERE effects > 20 `+
		`ORDER BY abs(epoch_us("start") - (SELECT (min(epoch_us("start")) + max(epoch_us("start"))) // 2 FROM contexts)), id LIMIT 1`)
	if err != nil {
		return err
	}
	effect, err := b.sql(ctx, `SELECT auditID FROM events WHERE role = 'effect' AND context = (SELECT id FROM contexts WHERE auditID = '`+some[0]+`') ORDER BY requestReceivedTimestamp DESC LIMIT 1`)
	if err != nil {
		return err
	}
	window := some[2] + " <= requestReceivedTimestamp < " + some[3]
	for _, q := range []struct {
		name string
		args []string
	}{
		{"open (whet sql 'SELECT 1')", []string{"sql", "SELECT 1"}},
		{"contexts by actor and time", []string{"query", "actor == " + some[1] + " and " + window}},
		{"events by actor and time", []string{"query", "--events", "username == " + some[1] + " and " + window}},
		{"why AUDITID", []string{"why", effect[0]}},
		{"contexts, count by actor", []string{"query", "--count-by", "actor", ""}},
		{"events, count by actor", []string{"query", "--events", "--count-by", "actor", ""}},
	} {
		args := append(q.args, "--data", b.data)
		var all []usage
		for range b.rounds {
			u, _, err := measure(exec.CommandContext(ctx, b.whet, args...)) //nolint:gosec // The commands are those above.
			if err != nil {
				return err
			}
			all = append(all, u)
		}
		median(all).print(q.name)
	}
	return nil
}

// sql asks for one row.
func (b *bench) sql(ctx context.Context, statement string) ([]string, error) {
	_, out, err := measure(exec.CommandContext(ctx, b.whet, "sql", "--data", b.data, "--format", "csv", statement)) //nolint:gosec // The statements are those above.
	if err != nil {
		return nil, err
	}
	_, row, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return strings.Split(strings.TrimSpace(row), ","), nil
}

// usage is what a process needed.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // KiB
}

func (u usage) print(name string) {
	fmt.Printf("%-34s %9.2f %9.2f %9d\n", name, u.wall.Seconds(), u.cpu.Seconds(), u.peak/1024)
}

// median gives the median of each figure, and of the memory the largest.
func median(all []usage) usage {
	middle := func(get func(usage) time.Duration) time.Duration {
		list := slices.SortedFunc(slices.Values(all), func(a, b usage) int { return cmp.Compare(get(a), get(b)) })
		return get(list[len(list)/2])
	}
	m := usage{
		wall: middle(func(u usage) time.Duration { return u.wall }),
		cpu:  middle(func(u usage) time.Duration { return u.cpu }),
	}
	for _, u := range all {
		m.peak = max(m.peak, u.peak)
	}
	return m
}

// measure runs a command, and gives its output.
func measure(cmd *exec.Cmd) (usage, string, error) {
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	started := time.Now()
	if err := cmd.Run(); err != nil {
		text, _ := io.ReadAll(io.LimitReader(&problems, 2000))
		return usage{}, "", errors.Join(fmt.Errorf("running %s: %w", cmd, err), errors.New(string(text)))
	}
	u := usage{wall: time.Since(started), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.peak = r.Maxrss
	}
	return u, out.String(), nil
}

// sizeOf counts the files in a folder and their bytes.
func sizeOf(dir string) (size int64, files int, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		size += info.Size()
		files++
		return nil
	})
	return size, files, err
}
