package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/lab/internal/live"
	"github.com/whet-k8s/whet/lab/internal/policy"
)

func newLiveCommand() *cobra.Command {
	o := live.Options{Progress: progress}
	var host bool
	cmd := &cobra.Command{
		Use:   "live --whet PROGRAM",
		Short: "Try whet serve with a real API server",
		Long: `Live starts whet serve and a cluster whose API server sends its audit events to
it over TLS. It measures the time from a request to a visible context, at rest
and while several people work at once, stops the cluster, and compares what whet
kept with what whet analyze finds in the API server's own log. It fails when
anything is missing or differs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Whet == "" {
				return errors.New("--whet is missing: the program to try")
			}
			var err error
			if o.Lab, _, err = programs(); err != nil {
				return err
			}
			if o.Plan, err = network(host); err != nil {
				return err
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			report, err := live.Run(ctx, o)
			if err != nil {
				return err
			}
			if err := report.Write(cmd.OutOrStdout()); err != nil {
				return err
			}
			if !report.Good() {
				return errors.New("something is missing or differs")
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Whet, "whet", "", "the program whet")
	f.StringVar(&o.Policy, "policy", policy.Everything, "audit policy: "+strings.Join(policy.Names(), ", ")+", or a file")
	f.IntVar(&o.Commands, "commands", 10, "how many commands are run at rest")
	f.DurationVar(&o.Load, "load", 30*time.Second, "how long several people then work at once")
	f.StringArrayVar(&o.Manifests, "dry-run", nil, "a manifest, or a folder with a kustomization, that the API server is asked to accept")
	f.BoolVar(&o.Keep, "keep", false, "keep the folder with the logs and the data set")
	f.BoolVar(&host, "host-network", false, "use the host's loopback instead of a network of the lab's own")
	return cmd
}
