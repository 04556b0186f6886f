package parts

import (
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
)

// newEtcdCommand returns a one-member etcd without authentication, which
// listens on the given loopback URLs alone.
func newEtcdCommand() *cobra.Command {
	var dir, clientURL, peerURL string
	cmd := &cobra.Command{
		Use:   Etcd,
		Short: "Run a one-member etcd",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return runEtcd(dir, clientURL, peerURL)
		},
		SilenceUsage: true,
	}
	cmd.Flags().StringVar(&dir, "data-dir", "", "folder for the data")
	cmd.Flags().StringVar(&clientURL, "listen-client-url", "http://127.0.0.1:2379", "where clients connect")
	cmd.Flags().StringVar(&peerURL, "listen-peer-url", "http://127.0.0.1:2380", "where members connect")
	return cmd
}

func runEtcd(dir, clientURL, peerURL string) error {
	client, err := url.Parse(clientURL)
	if err != nil {
		return fmt.Errorf("reading --listen-client-url: %w", err)
	}
	peer, err := url.Parse(peerURL)
	if err != nil {
		return fmt.Errorf("reading --listen-peer-url: %w", err)
	}
	cfg := embed.NewConfig()
	cfg.Dir = dir
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.LogLevel = "warn"
	// A lab's data lives for one run, so durability is traded for speed.
	cfg.UnsafeNoFsync = true
	member, err := embed.StartEtcd(cfg)
	if err != nil {
		return fmt.Errorf("starting etcd in %s: %w", dir, err)
	}
	defer member.Close()
	select {
	case <-member.Server.ReadyNotify():
	case <-time.After(time.Minute):
		return fmt.Errorf("starting etcd in %s: not ready after a minute", dir)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	select {
	case <-stop:
		return nil
	case err := <-member.Err():
		return fmt.Errorf("etcd stopped: %w", err)
	}
}
