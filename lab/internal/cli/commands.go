// Package cli holds the commands of the lab's program. It knows nothing of
// Kubernetes itself, so its tests need no control plane: main gives it the
// version of the parts that the program can become.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/netns"
	"github.com/whet-k8s/whet/lab/internal/policy"
	"github.com/whet-k8s/whet/lab/internal/record"
	"github.com/whet-k8s/whet/lab/internal/scenario"
	"github.com/whet-k8s/whet/lab/scenarios"
)

// New returns the program's command with its subcommands. The version is that of
// the control plane's parts.
func New(version string) *cobra.Command {
	root := &cobra.Command{
		Use:           "lab",
		Short:         "Record real Kubernetes audit logs with their truth",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRecordCommand(version), newUpCommand(), newLiveCommand(), newReplicateCommand(), newTruthCommand(), newCheckCommand(), newPolicyCommand())
	return root
}

// interruptible returns a context that ends with an interrupt or SIGTERM.
func interruptible(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
}

// network enters the lab's network and says so where it cannot.
func network(host bool) (netns.Plan, error) {
	plan, why, err := netns.Enter(!host)
	if err != nil {
		return netns.Plan{}, err
	}
	if !plan.Isolated {
		progress("running on the host's loopback, without a network of its own: " + why)
	}
	return plan, nil
}

func progress(text string) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format("15:04:05"), text)
}

// programs returns the paths of this program and of the operator beside it.
func programs() (lab, operator string, err error) {
	if lab, err = os.Executable(); err != nil {
		return "", "", fmt.Errorf("finding this program: %w", err)
	}
	operator = filepath.Join(filepath.Dir(lab), "sample-controller")
	if _, err := os.Stat(operator); err != nil {
		operator = ""
	}
	return lab, operator, nil
}

func newRecordCommand(version string) *cobra.Command {
	var out, prefix, plan, policyName string
	var seed uint64
	var keep, host bool
	cmd := &cobra.Command{
		Use:   "record [SCENARIOS]... --out DIR",
		Short: "Play scenarios in a cluster and record its audit log with the truth",
		Long: `Record starts a cluster, plays scenarios in it as a plan says, and writes
PREFIX.audit.jsonl.zst, PREFIX.metadata.jsonl.zst, PREFIX.truth.jsonl.zst,
PREFIX.contexts.jsonl.zst and PREFIX.card.md to the folder.

SCENARIOS are files of scenarios, folders of such files, or names of the lab's
own scenarios; without any, all of the lab's own.

The plans are ` + strings.Join(scenarios.Plans(), ", ") + `, or a file.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return errors.New("--out is missing: the folder for the recording")
			}
			chosen, known, err := choose(args)
			if err != nil {
				return err
			}
			p, err := loadPlan(plan)
			if err != nil {
				return err
			}
			if _, err := policy.Named(policyName); err != nil {
				return err
			}
			lab, operator, err := programs()
			if err != nil {
				return err
			}
			net, err := network(host)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			return record.Record(ctx, record.Options{
				Lab: lab, Operator: operator, Version: version, Commit: commit(), Net: net, Plan: p, PlanName: plan,
				Scenarios: chosen, Arguments: args, Known: known, Policy: policyName, Seed: seed, Out: out, Prefix: prefix, Keep: keep, Progress: progress,
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "folder for the recording")
	f.StringVar(&prefix, "prefix", "lab", "what the files' names start with")
	f.StringVar(&plan, "plan", "short", "who plays what: a plan's name or a file")
	f.StringVar(&policyName, "policy", policy.Everything, "audit policy of the recording: "+strings.Join(policy.Names(), ", "))
	f.Uint64Var(&seed, "seed", 1, "chooses scenarios, actors and names")
	f.BoolVar(&keep, "keep", false, "keep the cluster's folder with the raw log and the journal")
	f.BoolVar(&host, "host-network", false, "use the host's loopback instead of a network of the lab's own")
	return cmd
}

// commit returns the commit that this program was built from, with -dirty behind
// it where something was changed, or nothing where the build did not note it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["vcs.modified"] == "true" {
		return settings["vcs.revision"] + "-dirty"
	}
	return settings["vcs.revision"]
}

// choose returns the scenarios that the arguments name, and the names of all that
// a plan may ask for.
func choose(args []string) (chosen []scenario.Scenario, known []string, err error) {
	if chosen, err = scenarios.Choose(args); err != nil {
		return nil, nil, err
	}
	own, err := scenarios.All()
	if err != nil {
		return nil, nil, err
	}
	for _, s := range append(own, chosen...) {
		known = append(known, s.Name)
	}
	return chosen, known, nil
}

func loadPlan(name string) (*record.Plan, error) {
	r, err := scenarios.OpenPlan(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return record.LoadPlan(name, r)
}

func newUpCommand() *cobra.Command {
	var dir, policyName, webhook string
	var nodes int
	var host bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster to play with",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := policy.Read(policyName)
			if err != nil {
				return err
			}
			lab, _, err := programs()
			if err != nil {
				return err
			}
			net, err := network(host)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			return up(ctx, cluster.Config{Dir: dir, Lab: lab, Plan: net, Nodes: numbered(nodes), Policy: rules, AuditWebhook: webhook, AuditWait: wait, Progress: progress})
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "folder for the cluster, made if need be; a temporary one by default")
	f.IntVar(&nodes, "nodes", 3, "how many nodes")
	f.StringVar(&policyName, "policy", policy.Everything, "audit policy: "+strings.Join(policy.Names(), ", ")+", or a file")
	f.StringVar(&webhook, "audit-webhook", "", "kubeconfig of a server to send audit events to, as well as to the log; needs --host-network where that server runs outside")
	f.DurationVar(&wait, "audit-webhook-wait", 0, "how long the API server holds events back for the webhook (default 30s)")
	f.BoolVar(&host, "host-network", false, "use the host's loopback instead of a network of the lab's own")
	return cmd
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("worker%d", i+1)
	}
	return out
}

// up runs a cluster until it is interrupted or a part of it dies.
func up(ctx context.Context, config cluster.Config) error {
	if config.Dir == "" {
		dir, err := os.MkdirTemp("", "lab-")
		if err != nil {
			return fmt.Errorf("making the cluster's folder: %w", err)
		}
		defer os.RemoveAll(dir)
		config.Dir = dir
	} else if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return fmt.Errorf("making the cluster's folder: %w", err)
	}
	c, err := cluster.Start(ctx, config)
	if err != nil {
		return err
	}
	defer c.Stop()
	access, err := c.Administrator()
	if err != nil {
		return err
	}
	enter := ""
	switch {
	case config.Plan.UserSpace:
		enter = fmt.Sprintf("nsenter -t %d -U -n --preserve-credentials ", os.Getpid())
	case config.Plan.Isolated:
		enter = fmt.Sprintf("nsenter -t %d -n ", os.Getpid())
	}
	fmt.Printf("The cluster is ready. Use it from another terminal:\n\n  %senv %s=kubectl KUBECONFIG=%s %s get nodes\n\nThe audit log is %s\nAn interrupt stops the cluster.\n",
		enter, cluster.PartVariable, access.Kubeconfig, config.Lab, c.AuditLog())
	select {
	case <-ctx.Done():
		progress("stopping")
		return nil
	case died := <-c.Died():
		return died
	}
}

func newCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check PREFIX...",
		Short: "Prove recordings sound",
		Long: `Check reads a recording's four files and proves that every line is accounted
for, every command has one root, which comes before its effects, no token is left,
levels and bodies are as the policy on the card says, and the truth agrees with the
log. It prints nothing for a sound recording.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, prefix := range args {
				if err := record.Check(prefix); err != nil {
					return fmt.Errorf("%s: %w", prefix, err)
				}
			}
			return nil
		},
	}
}

func newPolicyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "policy NAME",
		Short: "Print an audit policy: " + strings.Join(policy.Names(), ", "),
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := policy.Named(args[0])
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(data)
			return err
		},
	}
}

func newTruthCommand() *cobra.Command {
	var out, prefix, policyName string
	cmd := &cobra.Command{
		Use:   "truth FOLDER --out DIR",
		Short: "Make a recording again from the folder that record --keep left",
		Long: `Truth finds the truth again from the raw log and the notes in a kept folder, and
writes the recording under another policy or name.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return errors.New("--out is missing: the folder for the recording")
			}
			return record.Rebuild(args[0], policyName, out, prefix, progress)
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "folder for the recording")
	f.StringVar(&prefix, "prefix", "lab", "what the files' names start with")
	f.StringVar(&policyName, "policy", policy.Everything, "audit policy of the recording: "+strings.Join(policy.Names(), ", "))
	return cmd
}
