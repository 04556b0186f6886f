// Package live tries whet as it runs beside a real API server: the server sends
// its audit events to whet's webhook over TLS, people work in the cluster, and a
// reader follows what whet tells while it happens.
//
// [Run] measures how long it takes from a request to a visible context, at rest
// and while several people work at once. In the end it stops the cluster and
// compares: every event in the API server's own log must be in whet's data set,
// and the contexts must be those that whet analyze finds in the log. Events of the
// time in which the cluster stops are left out, since the API server logs some
// that it does not send any more.
package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/netns"
	"github.com/whet-k8s/whet/lab/internal/policy"
	"github.com/whet-k8s/whet/lab/internal/process"
)

// Options say what to try.
type Options struct {
	// Lab and Whet are the programs' paths.
	Lab, Whet string
	// Plan holds the addresses.
	Plan netns.Plan
	// Policy names the audit policy, or its file.
	Policy string
	// Commands is how many commands are run at rest, one after the other; Load is
	// how long several people then work at once.
	Commands int
	Load     time.Duration
	// Manifests are folders with a kustomization, or files, that the API server is
	// asked to accept in a dry run. The namespace whet is made for them.
	Manifests []string
	// Keep leaves the folder with the logs and the data set.
	Keep bool
	// Progress is told what happens, for people.
	Progress func(string)
}

// Report is what was found.
type Report struct {
	// AtRest and UnderLoad are the times from the end of a request, as the API
	// server logs it, until a reader was told of its context.
	AtRest, UnderLoad []time.Duration
	// Unseen are commands that no context was told of in time.
	Unseen []string
	// Events counts the events in the API server's log, Contexts the contexts
	// that whet analyze finds there.
	Events, Contexts int
	// Differences say what the data set has otherwise; none is right.
	Differences []string
}

// run is a try in progress.
type run struct {
	options Options
	dir     string
	whet    *whet
	cluster *cluster.Cluster
	seen    *watcher
	// stopping is when the cluster began to stop.
	stopping time.Time
}

// auditWait is how long the API server collects events before it sends them.
const auditWait = 500 * time.Millisecond

// Run starts whet and a cluster, tries them and stops both.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	dir, err := os.MkdirTemp("", "lab-live-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	if o.Keep {
		o.Progress("everything is kept in " + dir)
	} else {
		defer os.RemoveAll(dir)
	}
	r := &run{options: o, dir: dir}
	r.whet, err = startWhet(ctx, o.Whet, dir)
	if err != nil {
		return nil, err
	}
	defer r.whet.stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.seen = newWatcher()
	go r.seen.follow(ctx, r.whet)
	if report, err = r.play(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, err
	}
	o.Progress("waiting until whet has settled everything")
	if err := r.whet.settled(ctx); err != nil {
		return nil, err
	}
	r.whet.stop()
	return report, r.compare(ctx, report)
}

// play runs the cluster from its start to its end.
func (r *run) play(ctx context.Context) (*Report, error) {
	rules, err := policy.Read(r.options.Policy)
	if err != nil {
		return nil, err
	}
	clusterDir := filepath.Join(r.dir, "cluster")
	if err := os.Mkdir(clusterDir, 0o700); err != nil {
		return nil, fmt.Errorf("making the cluster's folder: %w", err)
	}
	r.cluster, err = cluster.Start(ctx, cluster.Config{
		Dir: clusterDir, Lab: r.options.Lab, Plan: r.options.Plan, Nodes: []string{"worker1", "worker2"},
		Policy: rules, AuditWebhook: r.whet.kubeconfig, AuditWait: auditWait, Progress: r.options.Progress,
	})
	if err != nil {
		return nil, err
	}
	defer r.cluster.Stop()
	if err := r.tryManifests(ctx); err != nil {
		return nil, err
	}
	report := new(Report)
	r.options.Progress(fmt.Sprintf("%d commands at rest", r.options.Commands))
	rest, err := r.atRest(ctx)
	if err != nil {
		return nil, err
	}
	r.options.Progress("several people at once, for " + r.options.Load.String())
	load, err := r.underLoad(ctx)
	if err != nil {
		return nil, err
	}
	r.options.Progress("waiting for the last effects")
	if err := sleep(ctx, 10*time.Second); err != nil {
		return nil, err
	}
	if err := r.cluster.AuditComplete(ctx); err != nil {
		return nil, err
	}
	ended, err := requestEnds(r.cluster.AuditLog())
	if err != nil {
		return nil, err
	}
	r.stopping = time.Now()
	report.AtRest = r.latencies(rest, ended, report)
	report.UnderLoad = r.latencies(load, ended, report)
	return report, nil
}

// tryManifests asks the API server whether it would take the manifests.
func (r *run) tryManifests(ctx context.Context) error {
	admin, err := r.cluster.Administrator()
	if err != nil {
		return err
	}
	if len(r.options.Manifests) > 0 {
		// A dry run makes no namespace that what follows could be in.
		if _, err := r.kubectl(ctx, admin, "create", "namespace", "whet"); err != nil {
			return err
		}
	}
	for _, m := range r.options.Manifests {
		how := "-f"
		if info, err := os.Stat(m); err == nil && info.IsDir() {
			how = "-k"
		}
		out, err := r.kubectl(ctx, admin, "apply", "--dry-run=server", "--validate=strict", how, m)
		if err != nil {
			return fmt.Errorf("the API server does not take %s: %w", m, err)
		}
		r.options.Progress(fmt.Sprintf("the API server takes %s: %d objects", m, strings.Count(strings.TrimSpace(out), "\n")+1))
	}
	return nil
}

// atRest runs commands one after the other, with time in between.
func (r *run) atRest(ctx context.Context) ([]string, error) {
	alice, err := r.person(ctx, "alice")
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range r.options.Commands {
		if err := sleep(ctx, 4*time.Second); err != nil {
			return nil, err
		}
		name := fmt.Sprintf("rest-%d", i)
		if _, err := r.kubectl(ctx, alice, "create", "deployment", name, "--image=nginx", "--replicas=2"); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, sleep(ctx, 4*time.Second)
}

// workers is how many people work at once.
const workers = 4

// underLoad has people make, scale and delete deployments without a pause.
func (r *run) underLoad(ctx context.Context) ([]string, error) {
	var mu sync.Mutex
	var names []string
	var failed error
	var group sync.WaitGroup
	until := time.Now().Add(r.options.Load)
	for w := range workers {
		person, err := r.person(ctx, fmt.Sprintf("worker-%d", w))
		if err != nil {
			return nil, err
		}
		group.Go(func() {
			for i := 0; time.Now().Before(until) && ctx.Err() == nil; i++ {
				name := fmt.Sprintf("load-%d-%d", w, i)
				err := r.deploy(ctx, person, name)
				mu.Lock()
				names = append(names, name)
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return names, failed
}

func (r *run) deploy(ctx context.Context, person *cluster.Access, name string) error {
	for _, args := range [][]string{
		{"create", "deployment", name, "--image=nginx", "--replicas=3"},
		{"scale", "deployment", name, "--replicas=6"},
		{"delete", "deployment", name, "--wait=false"},
	} {
		if _, err := r.kubectl(ctx, person, args...); err != nil {
			return err
		}
	}
	return nil
}

// person makes somebody who may do all.
func (r *run) person(ctx context.Context, name string) (*cluster.Access, error) {
	admin, err := r.cluster.Administrator()
	if err != nil {
		return nil, err
	}
	if _, err := r.kubectl(ctx, admin, "create", "clusterrolebinding", name, "--clusterrole=cluster-admin", "--user="+name); err != nil {
		return nil, err
	}
	return r.cluster.User(name)
}

// kubectl runs kubectl to its end.
func (r *run) kubectl(ctx context.Context, access *cluster.Access, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, errors.New("took longer than two minutes"))
	defer cancel()
	out, errs, status, err := process.Output(ctx, process.Spec{
		Name: "kubectl", Path: r.options.Lab, Args: args,
		Env: []string{cluster.PartVariable + "=kubectl", "KUBECONFIG=" + access.Kubeconfig, "HOME=" + r.dir, "KUBECTL_KUBERC=false"},
	}, strings.NewReader(""))
	if err != nil {
		return "", err
	}
	if status != 0 {
		return "", fmt.Errorf("kubectl %s ended with status %d: %s", strings.Join(args, " "), status, strings.TrimSpace(errs))
	}
	return out, nil
}

// latencies are the times from the end of the request that made a deployment
// until its context was told.
func (r *run) latencies(names []string, ended map[string]time.Time, report *Report) []time.Duration {
	var list []time.Duration
	for _, name := range names {
		at, told := r.seen.told(name)
		end, logged := ended[name]
		switch {
		case !told:
			report.Unseen = append(report.Unseen, name)
		case logged:
			list = append(list, at.Sub(end))
		}
	}
	return list
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
