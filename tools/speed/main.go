// Speed compares whet with jq on a large log: how long both take in turns, and
// how much memory whet needs at most, also for a log twice as long.
//
//	go run ./tools/speed [--size 1GB] [--rounds 3] [--dir DIR] RECORDING
//
// It builds whet, makes the logs from the recording with tools/replicate, and
// prints a row for each run and the median of the ratios. The machine should
// be otherwise idle: jq runs on one core, whet on all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const filter = "{u:.user.username,v:.verb,r:.objectRef.resource}"

func main() {
	size := flag.String("size", "1GB", "size of the log")
	double := flag.String("double", "2GB", "size of the log twice as long; \"\" leaves it out")
	rounds := flag.Int("rounds", 3, "how often each command runs")
	dir := flag.String("dir", "", "folder for the logs, which are kept; by default a temporary one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "speed: one RECORDING is needed, such as recordings/day.audit.jsonl.zst")
		os.Exit(2)
	}
	if err := run(ctx, flag.Arg(0), *dir, *size, *double, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, recording, dir, size, double string, rounds int) error {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "whet-speed")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(temporary) }()
		dir = temporary
	}
	whet := filepath.Join(dir, "whet")
	if _, err := measure(ctx, "go", "build", "-trimpath", "-o", whet, "./cmd/whet"); err != nil {
		return err
	}
	log, err := replicate(ctx, recording, dir, size)
	if err != nil {
		return err
	}
	fmt.Printf("%-28s %10s %10s %10s\n", "", "wall s", "cpu s", "peak MiB")
	var ratios []float64
	for range rounds {
		j, err := measure(ctx, "jq", "-c", filter, log)
		if err != nil {
			return err
		}
		j.print("jq " + size)
		w, err := measure(ctx, whet, "analyze", "--format", "contexts", log)
		if err != nil {
			return err
		}
		w.print("whet analyze " + size)
		ratios = append(ratios, j.wall.Seconds()/w.wall.Seconds())
	}
	if double != "" {
		longer, err := replicate(ctx, recording, dir, double)
		if err != nil {
			return err
		}
		w, err := measure(ctx, whet, "analyze", "--format", "contexts", longer)
		if err != nil {
			return err
		}
		w.print("whet analyze " + double)
	}
	slices.Sort(ratios)
	fmt.Printf("whet is %.1f times as fast as jq (median of %d, from %.1f to %.1f)\n", ratios[len(ratios)/2], rounds, ratios[0], ratios[len(ratios)-1])
	return nil
}

// replicate makes a log of a size, unless it is there.
func replicate(ctx context.Context, recording, dir, size string) (string, error) {
	log := filepath.Join(dir, size+".jsonl")
	if _, err := os.Stat(log); !errors.Is(err, os.ErrNotExist) {
		return log, err
	}
	_, err := measure(ctx, "go", "run", "./tools/replicate", "--size", size, "--out", log, recording)
	return log, err
}

// usage is what a process needed.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // KiB
}

func (u usage) print(name string) {
	fmt.Printf("%-28s %10.2f %10.2f %10d\n", name, u.wall.Seconds(), u.cpu.Seconds(), u.peak/1024)
}

// measure runs a command without its output.
func measure(ctx context.Context, name string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the commands are those above
	started := time.Now()
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("running %s: %w", name, err)
	}
	u := usage{wall: time.Since(started), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.peak = r.Maxrss
	}
	return u, nil
}
