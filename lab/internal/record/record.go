// Package record plays scenarios in a cluster of the lab and writes the audit
// log together with its truth.
//
// [Record] starts a cluster, makes people and accounts, runs the phases of a
// [Plan], and waits for silence where the truth needs it. Then it attributes
// every line (package truth), replaces the tokens, checks the result and only
// then puts the files in their place: a recording is whole or absent.
package record

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/netns"
	"github.com/whet-k8s/whet/lab/internal/policy"
	"github.com/whet-k8s/whet/lab/internal/process"
	"github.com/whet-k8s/whet/lab/internal/scenario"
	"github.com/whet-k8s/whet/lab/internal/truth"
)

// Options say what to record.
type Options struct {
	// Lab and Operator are the programs' paths; Operator may be empty where the
	// plan has none.
	Lab, Operator string
	// Version is that of the control plane, for the card.
	Version string
	// Commit says from which state of the repository the lab was built, for the
	// card; empty where the program does not know.
	Commit string
	Net    netns.Plan
	Plan   *Plan
	// PlanName names the plan on the card.
	PlanName  string
	Scenarios []scenario.Scenario
	// Arguments are those that chose the scenarios; without any, they are all of
	// the lab's own, and every phase must find some that fit.
	Arguments []string
	// Known are the names of all scenarios that a plan may ask for.
	Known []string
	// Policy names the audit policy of the recording.
	Policy string
	// Seed chooses scenarios, actors and names.
	Seed uint64
	// Out is the folder for the files and Prefix what their names start with.
	Out, Prefix string
	// Keep leaves the cluster's folder, with the raw log and the journal.
	Keep bool
	// Progress is told what happens, for people.
	Progress func(string)
}

// recorder is a recording in progress.
type recorder struct {
	options Options
	plan    *Plan
	fitting [][]*scenario.Scenario // of each phase
	work    string
	cluster *cluster.Cluster
	tail    *tail
	cast    *cast
	homes   int
	from    int64 // where in the audit log the recording starts

	mu      sync.Mutex
	rng     *rand.Rand
	journal truth.Journal
}

// diskNeeded is what a recording may need for the log and the cluster's data,
// outNeeded what its files may take, compressed.
const (
	diskNeeded = 2 << 30
	outNeeded  = 64 << 20
)

// Record makes a recording. On an error no file of it is left.
func Record(ctx context.Context, o Options) (err error) {
	fitting, err := o.check()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil { //nolint:gosec // A recording is for everyone.
		return fmt.Errorf("making the folder for the recording: %w", err)
	}
	work, err := os.MkdirTemp("", "lab-")
	if err != nil {
		return fmt.Errorf("making the cluster's folder: %w", err)
	}
	if !o.Keep {
		defer os.RemoveAll(work)
	}
	if err := errors.Join(checkDisk(work, diskNeeded, "set TMPDIR to a folder on another disk"), checkDisk(o.Out, outNeeded, "choose another folder for --out")); err != nil {
		return err
	}
	r := &recorder{
		options: o, plan: o.Plan, work: work, fitting: fitting,
		rng:     rand.New(rand.NewPCG(o.Seed, 0x776865746c6162)), //nolint:gosec // A seed must give the same numbers each time.
		journal: truth.Journal{Lab: cluster.Admin, Suffixes: scenario.Suffixes(o.Scenarios)},
	}
	if err := r.play(ctx); err != nil {
		return err
	}
	return r.finish()
}

func checkDisk(dir string, needed uint64, advice string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("looking at the disk of %s: %w", dir, err)
	}
	if free := s.Bavail * uint64(s.Bsize); free < needed {
		return fmt.Errorf("%s has %d MiB free and a recording may need %d MiB there; %s", dir, free>>20, needed>>20, advice)
	}
	return nil
}

// play starts the cluster, runs the phases and stops everything.
func (r *recorder) play(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	everything, err := policy.Named(policy.Everything)
	if err != nil {
		return err
	}
	dir := filepath.Join(r.work, "cluster")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("making the cluster's folder: %w", err)
	}
	r.cluster, err = cluster.Start(ctx, cluster.Config{
		Dir: dir, Lab: r.options.Lab, Plan: r.options.Net, Nodes: nodeNames(r.rng, r.plan.Nodes),
		Policy: everything, Progress: r.options.Progress,
	})
	if err != nil {
		return err
	}
	defer r.cluster.Stop()
	go func() {
		select {
		case died := <-r.cluster.Died():
			cancel(died)
		case <-ctx.Done():
		}
	}()
	r.tail = newTail(r.cluster.AuditLog())
	go r.tail.follow(ctx)
	if err := r.prepare(ctx); err != nil {
		return because(ctx, err)
	}
	for i := range r.plan.Phases {
		if err := r.phase(ctx, i); err != nil {
			return because(ctx, fmt.Errorf("phase %d: %w", i+1, err))
		}
	}
	r.options.Progress("waiting for the last effects")
	if _, err := r.silence(ctx, nil, 8*time.Second, "the last chain"); err != nil {
		return because(ctx, err)
	}
	return r.cluster.AuditComplete(ctx)
}

// because prefers the reason why the context ended to its consequences.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return cause
	}
	return err
}

// prepare makes the actors, starts the operator and waits until the cluster has
// come to rest. The recording starts where the log then ends.
func (r *recorder) prepare(ctx context.Context) error {
	r.options.Progress("making people and accounts")
	if err := r.hire(ctx); err != nil {
		return err
	}
	if r.plan.Operator {
		r.options.Progress("starting the operator")
		spec := process.Spec{Name: "sample-controller", Program: r.cast.operator.agent, Path: r.options.Operator, Args: []string{"-kubeconfig", r.cast.operator.access.Kubeconfig}}
		if err := r.cluster.Run(spec); err != nil {
			return err
		}
	}
	r.options.Progress("waiting for silence")
	if _, err := r.silence(ctx, nil, 5*time.Second, "preparing the cluster"); err != nil {
		return err
	}
	info, err := os.Stat(r.cluster.AuditLog())
	if err != nil {
		return fmt.Errorf("looking at the audit log: %w", err)
	}
	r.from = info.Size()
	r.options.Progress("nothing happens for " + time.Duration(r.plan.Idle).String())
	return sleep(ctx, time.Duration(r.plan.Idle))
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// nodeNames draws a style of node names, as clusters differ in it.
func nodeNames(rng *rand.Rand, n int) []string {
	styles := []func(i int) string{
		func(i int) string { return fmt.Sprintf("node-%d", i+1) },
		func(i int) string { return fmt.Sprintf("ip-10-20-0-%d.ec2.internal", 11+i) },
		func(i int) string {
			return fmt.Sprintf("gke-prod-default-pool-%08x-%04x", rng.Uint32(), rng.Uint32()&0xffff)
		},
		func(i int) string { return fmt.Sprintf("aks-nodepool1-%08d-vmss%06d", 10000000+rng.IntN(80000000), i) },
		func(i int) string { return fmt.Sprintf("worker%d", i+1) },
		func(i int) string { return fmt.Sprintf("k8s-w%02d.example.com", i+1) },
	}
	style := styles[rng.IntN(len(styles))]
	out := make([]string, n)
	for i := range out {
		out[i] = style(i)
	}
	return out
}
