package main

import (
	"fmt"
	"log"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/live/follow"
	"github.com/whet-k8s/whet/live/service"
	"github.com/whet-k8s/whet/store"
	"github.com/whet-k8s/whet/web"
)

// liveOptions are the flags of whet serve about clusters that are watched live.
type liveOptions struct {
	config      string
	check       bool
	follow      []string
	ingestToken string
	cluster     string
	keep        string
	alerts      string
	queueBytes  string
	minFree     string
	every       time.Duration
	grace       time.Duration
	keepEvents  string
	keepFor     string
	logFormat   string
	logLevel    string
}

func (o *liveOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.config, "config", "", "serve live what this YAML `FILE` says")
	f.BoolVar(&o.check, "check", false, "check the file of --config, and end")
	f.StringArrayVar(&o.follow, "follow", nil, "read this `LOG` while it is written: a file, a folder, or - for standard input")
	f.StringVar(&o.ingestToken, "ingest-token-file", "", "take what an API server sends with the token in this `FILE`")
	f.StringVar(&o.cluster, "cluster", store.DefaultCluster, "live: the `NAME` of the cluster")
	f.StringVar(&o.keep, "keep", string(store.KeepEvents), "live: what is kept: events, contexts")
	f.StringVar(&o.alerts, "alerts", "", "live: rules about contexts that somebody should hear of, a YAML `FILE`")
	f.StringVar(&o.queueBytes, "queue-size", "", "live: how many bytes may wait to be analysed, such as 4GiB (the default)")
	f.StringVar(&o.minFree, "queue-min-free", "", "live: take nothing when the disk has less free, such as 512MiB (the default)")
	f.DurationVar(&o.every, "checkpoint-every", 0, "live: how often the data set is written to (default 3s)")
	f.DurationVar(&o.grace, "grace", 0, "live: how much later than others an event may come (default 35s)")
	f.StringVar(&o.keepEvents, "keep-events-for", "", "live: remove events that are older, such as 30d")
	f.StringVar(&o.keepFor, "keep-contexts-for", "", "live: remove contexts that are older, such as 365d")
	f.StringVar(&o.logFormat, "log-format", "text", "live: how to log: text, json")
	f.StringVar(&o.logLevel, "log-level", "info", "live: the least to log: debug, info, warn, error")
}

// live tells whether the flags ask for a live server.
func (o *liveOptions) live() bool {
	return o.config != "" || len(o.follow) > 0 || o.ingestToken != ""
}

// withConfig are the flags that go with --config; what else there is stands in
// the file.
func withConfig() []string {
	return []string{"config", "check", "log-format", "log-level", "listen", "color"}
}

// runServeLive runs a live server until its context ends.
func runServeLive(cmd *cobra.Command, std *stdio, o *serveOptions, inputs []string) error {
	if len(inputs) > 0 {
		return usageError("%s and a live source too: show a log with whet serve %s, or follow it with --follow", inputs[0], inputs[0])
	}
	conf, err := o.configuration(cmd.Flags())
	if err != nil {
		return err
	}
	if o.check {
		fmt.Fprintf(std.out, "%s is a configuration of %s.\n", term.Sanitize(o.config), term.Plural(len(conf.Clusters), "cluster"))
		return nil
	}
	logger := newLogger(std, conf.Log)
	// What the libraries log goes the same way.
	slog.SetDefault(logger)
	log.SetFlags(0)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(servingGC)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		// What is open decides how much it needs: under load that is more than a
		// run that ends aims at, and collecting garbage would be all it does.
		debug.SetMemoryLimit(math.MaxInt64)
	}
	s, err := service.Open(cmd.Context(), service.Options{
		Config: conf, Assets: web.Files(), Version: version(), Stdin: std.in, Log: logger,
	})
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Fprintf(std.out, "Serving %s (Ctrl-C ends it)\n", term.Sanitize(s.URL()))
	return s.Run(cmd.Context())
}

// newLogger makes the log of a live server, on standard error.
func newLogger(std *stdio, o config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: o.Level}
	if o.JSON {
		return slog.New(slog.NewJSONHandler(std.err, options))
	}
	return slog.New(slog.NewTextHandler(std.err, options))
}

// configuration reads the file of --config, or makes a configuration of flags.
func (o *serveOptions) configuration(flags *pflag.FlagSet) (*config.Config, error) {
	conf := &config.Config{}
	if o.config != "" {
		var wrong []string
		flags.Visit(func(f *pflag.Flag) {
			for _, name := range withConfig() {
				if f.Name == name {
					return
				}
			}
			wrong = append(wrong, "--"+f.Name)
		})
		if len(wrong) > 0 {
			return nil, usageError("%s: with --config that stands in the file", strings.Join(wrong, ", "))
		}
		var err error
		if conf, err = config.Read(o.config); err != nil {
			return nil, &exitError{exitUsage, err}
		}
		if flags.Changed("listen") {
			conf.Listen = o.listen
		}
	} else if err := o.fill(conf); err != nil {
		return nil, err
	}
	if m := conf.Check(); m != nil {
		return nil, &exitError{exitUsage, m}
	}
	return conf, o.logging(conf, flags)
}

// logging reads the flags about the log, which count more than the file.
func (o *serveOptions) logging(conf *config.Config, flags *pflag.FlagSet) error {
	if o.config == "" || flags.Changed("log-format") {
		json, err := config.ParseFormat(o.logFormat)
		if err != nil {
			return usageError("--log-format: %w", err)
		}
		conf.Log.JSON = json
	}
	if o.config == "" || flags.Changed("log-level") {
		level, err := config.ParseLevel(o.logLevel)
		if err != nil {
			return usageError("--log-level: %w", err)
		}
		conf.Log.Level = level
	}
	return nil
}

// fill makes the configuration of one cluster.
func (o *serveOptions) fill(conf *config.Config) error {
	if o.data == "" {
		return usageError("name the folder in which to keep what comes, with --data")
	}
	conf.Data, conf.Listen, conf.Hosts, conf.Alerts = o.data, o.listen, o.hosts, o.alerts
	conf.TLS = auth.TLSFiles{Certificate: o.tls.Certificate, Key: o.tls.Key}
	if (conf.TLS.Certificate == "") != (conf.TLS.Key == "") {
		return usageError("TLS needs both --tls-cert and --tls-key")
	}
	if o.tls.ClientCA != "" {
		return usageError("--tls-client-ca: whose certificates they are stands in a configuration (--config)")
	}
	conf.Every, conf.Grace = o.every, o.grace
	if err := o.link.check(); err != nil {
		return err
	}
	cluster := config.Cluster{Name: o.cluster, Policy: o.policy, NoModel: o.link.noModel, Ranker: o.link.ranker}
	var err error
	if cluster.Keep, err = config.ParseKeep(o.keep); err != nil {
		return usageError("--keep: %w", err)
	}
	for _, path := range o.follow {
		cluster.Sources = append(cluster.Sources, followed(path))
	}
	if o.ingestToken != "" {
		cluster.Sources = append(cluster.Sources, config.Source{Kind: config.Webhook})
		conf.Clients = append(conf.Clients, auth.Client{
			Name: "apiserver", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{o.cluster}, TokenFile: o.ingestToken,
		})
	}
	if o.tokenFile != "" {
		conf.Clients = append(conf.Clients, auth.Client{Name: "reader", Roles: []auth.Role{auth.RoleRead}, TokenFile: o.tokenFile})
	}
	conf.Clusters = []config.Cluster{cluster}
	return o.bounds(conf)
}

// followed is a source by its path: a folder where there is one now.
func followed(path string) config.Source {
	if path == follow.Stdin {
		return config.Source{Kind: config.Stdin}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return config.Source{Kind: config.Folder, Path: path}
	}
	return config.Source{Kind: config.File, Path: path}
}

// bounds reads the flags about sizes and times.
func (o *serveOptions) bounds(conf *config.Config) (err error) {
	for _, v := range []struct {
		flag, text string
		to         *int64
	}{{"--queue-size", o.queueBytes, &conf.Queue.MaxBytes}, {"--queue-min-free", o.minFree, &conf.Queue.MinFree}} {
		if v.text == "" {
			continue
		}
		if *v.to, err = config.ParseBytes(v.text); err != nil {
			return usageError("%s: %w", v.flag, err)
		}
	}
	for _, v := range []struct {
		flag, text string
		to         *time.Duration
	}{{"--keep-events-for", o.keepEvents, &conf.Retention.Events.Age}, {"--keep-contexts-for", o.keepFor, &conf.Retention.Contexts.Age}} {
		if v.text == "" {
			continue
		}
		if *v.to, err = config.ParseDuration(v.text); err != nil {
			return usageError("%s: %w", v.flag, err)
		}
	}
	if o.every < 0 || o.grace < 0 {
		return usageError("--checkpoint-every and --grace: want a time such as 5s")
	}
	return nil
}
