// Package process runs the lab's parts as processes: each with a log file, each
// stopped with the lab, and each missed at once when it dies. The error then
// names the part and shows the end of its log, since that is where the reason
// stands.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Spec says what to run.
type Spec struct {
	// Name names the part in errors and its log file.
	Name string
	// Program is the argv[0], from which Kubernetes clients make their user
	// agent; Name where it is empty.
	Program string
	// Path is the program, Args its arguments without the program's name.
	Path string
	Args []string
	// Env is added to the environment.
	Env []string
}

func (s Spec) program() string {
	if s.Program != "" {
		return s.Program
	}
	return s.Name
}

// Group is a set of processes that live and die together. Use [NewGroup].
type Group struct {
	logs string

	mu       sync.Mutex
	running  []*running
	stopping bool
	died     chan error
}

type running struct {
	spec Spec
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

// NewGroup returns a group whose log files lie in the folder logs, which must
// exist.
func NewGroup(logs string) *Group { return &Group{logs: logs, died: make(chan error, 1)} }

// Died gives one error when a process ends that nobody stopped: it names the
// part, its exit status and its log file, and holds the end of the log.
func (g *Group) Died() <-chan error { return g.died }

// Start starts a process. It returns as soon as the process runs; a failure
// after that comes from [Group.Died].
func (g *Group) Start(spec Spec) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping {
		return fmt.Errorf("starting %s: the lab is stopping", spec.Name)
	}
	path := filepath.Join(g.logs, spec.Name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("starting %s: opening its log: %w", spec.Name, err)
	}
	cmd := exec.Command(spec.Path, spec.Args...) //nolint:gosec // The lab runs its own parts, and itself.
	cmd.Args[0] = spec.program()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), spec.Env...)
	// A process group of its own keeps a terminal's interrupt from the part, so
	// that the lab stops its parts in order; the death signal covers a killed lab.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r := &running{spec: spec, log: path, cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go g.watch(r, log, started)
	if err := <-started; err != nil {
		return fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	g.running = append(g.running, r)
	return nil
}

// watch starts the process and waits for its end on one thread, since the
// parent-death signal comes when the thread that forked ends.
func (g *Group) watch(r *running, log io.Closer, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(r.done)
	defer log.Close()
	err := r.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	err = r.cmd.Wait()
	g.mu.Lock()
	stopping := g.stopping
	g.mu.Unlock()
	if stopping {
		return
	}
	status := "exit status 0"
	if err != nil {
		status = err.Error()
	}
	select {
	case g.died <- fmt.Errorf("%s died (%s); the end of its log (%s, which --keep leaves):\n%s", r.spec.Name, status, filepath.Base(r.log), Tail(r.log, 15)):
	default:
	}
}

// Stop ends every process in reverse order of its start, with SIGTERM and,
// after grace, SIGKILL. It returns when all have ended.
func (g *Group) Stop(grace time.Duration) {
	g.mu.Lock()
	g.stopping = true
	all := g.running
	g.running = nil
	g.mu.Unlock()
	for i := len(all) - 1; i >= 0; i-- {
		r := all[i]
		// The process may have ended already; done tells.
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-r.done:
		case <-time.After(grace):
			_ = r.cmd.Process.Kill()
			<-r.done
		}
	}
}

// Tail returns the last lines of a file, each cut at 400 bytes, indented, with
// control characters replaced: a log may hold what a client sent.
func Tail(path string, lines int) string {
	f, err := os.Open(path)
	if err != nil {
		return "  (no log: " + err.Error() + ")"
	}
	defer f.Close()
	const window = 64 << 10
	if info, err := f.Stat(); err == nil && info.Size() > window {
		if _, err := f.Seek(-window, io.SeekEnd); err != nil {
			return "  (cannot read the log: " + err.Error() + ")"
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, window))
	if err != nil {
		return "  (cannot read the log: " + err.Error() + ")"
	}
	return lastLines(string(data), lines)
}

// lastLines returns the last lines of a text as [Tail] does.
func lastLines(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	var b strings.Builder
	for _, l := range all {
		if len(l) > 400 {
			l = l[:400] + "…"
		}
		b.WriteString("  " + strings.Map(printable, l) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func printable(r rune) rune {
	if r != '\t' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
		return '·'
	}
	return r
}

// Output runs a program to its end and returns what it printed. A program that
// takes longer than the context allows is killed, with its children; the error
// says so, with the end of what it had printed.
func Output(ctx context.Context, spec Spec, stdin io.Reader) (stdout, stderr string, status int, err error) {
	cmd := exec.CommandContext(ctx, spec.Path, spec.Args...) //nolint:gosec // The lab runs its own parts, and itself.
	cmd.Args[0] = spec.program()
	cmd.Env = append(os.Environ(), spec.Env...)
	cmd.Stdin = stdin
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	err = cmd.Run()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return out.String(), errs.String(), -1, fmt.Errorf("%s: %w; %s", spec.Name, context.Cause(ctx), printed(out.String(), errs.String()))
	}
	if ctx.Err() != nil {
		return out.String(), errs.String(), -1, fmt.Errorf("%s: %w", spec.Name, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), errs.String(), exit.ExitCode(), nil
	}
	if err != nil {
		return "", "", -1, fmt.Errorf("running %s: %w", spec.Name, err)
	}
	return out.String(), errs.String(), 0, nil
}

// printed says what a program had printed when it was stopped.
func printed(out, errs string) string {
	if out == "" && errs == "" {
		return "it had printed nothing"
	}
	var parts []string
	for _, x := range []struct{ where, text string }{{"standard output", out}, {"standard error", errs}} {
		if x.text != "" {
			parts = append(parts, "the end of its "+x.where+":\n"+lastLines(x.text, 10))
		}
	}
	return strings.Join(parts, "\n")
}
