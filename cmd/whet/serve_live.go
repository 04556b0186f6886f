package main

import (
	"cmp"
	"fmt"
	"log"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

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
	set         []string
	check       bool
	follow      []string
	ingestToken string
	cluster     string
	keep        string
	alerts      string
	queueBytes  string
	minFree     string
	every       string
	grace       string
	keepEvents  string
	keepFor     string
	logFormat   string
	logLevel    string
}

func (o *liveOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.config, "config", "", "serve live what this YAML `FILE` says")
	f.StringArrayVar(&o.set, "set", nil, "live: set a key of the configuration, `KEY=VALUE`, such as limits.body=32MiB")
	f.BoolVar(&o.check, "check", false, "live: check the configuration and every file that it names, and end")
	f.StringArrayVar(&o.follow, "follow", nil, "read this `LOG` while it is written: a file, a folder, or - for standard input")
	f.StringVar(&o.ingestToken, "ingest-token-file", "", "take what an API server sends with the token in this `FILE`")
	f.StringVar(&o.cluster, "cluster", store.DefaultCluster, "live: the `NAME` of the cluster")
	f.StringVar(&o.keep, "keep", string(store.KeepEvents), "live: what is kept: events, contexts")
	f.StringVar(&o.alerts, "alerts", "", "live: rules about contexts that somebody should hear of, a YAML `FILE`")
	f.StringVar(&o.queueBytes, "queue-size", "", "live: how many bytes may wait to be analysed (default 4GiB)")
	f.StringVar(&o.minFree, "queue-min-free", "", "live: take nothing when the disk has less free (default 512MiB)")
	f.StringVar(&o.every, "checkpoint-every", "", "live: how often the data set is written to (default 1s)")
	f.StringVar(&o.grace, "grace", "", "live: how much later than others an event may come (default 35s)")
	f.StringVar(&o.keepEvents, "keep-events-for", "", "live: remove events that are older, such as 30d")
	f.StringVar(&o.keepFor, "keep-contexts-for", "", "live: remove contexts that are older, such as 365d")
	f.StringVar(&o.logFormat, "log-format", "text", "live: how to log: text, json")
	f.StringVar(&o.logLevel, "log-level", "info", "live: the least to log: debug, info, warn, error")
}

// live tells whether the flags ask for a live server.
func (o *liveOptions) live() bool {
	return o.config != "" || len(o.follow) > 0 || o.ingestToken != "" || len(o.set) > 0
}

// liveKeys are the keys of the configuration that flags set, by the flag. The
// first ones go with a file, and count more than it.
func liveKeys() (withFile, alone map[string]string) {
	withFile = map[string]string{"listen": "listen", "log-format": "log.format", "log-level": "log.level"}
	alone = map[string]string{
		"data": "data", "tls-cert": "tls.certificate", "tls-key": "tls.key", "tls-client-ca": "tls.clientCA", "alerts": "alerts",
		"cluster": "clusters[0].name", "keep": "clusters[0].keep", "policy": "clusters[0].policy", "ranker": "clusters[0].ranker",
		"queue-size": "queue.maxBytes", "queue-min-free": "queue.minFree",
		"checkpoint-every": "checkpoint.every", "grace": "checkpoint.grace",
		"keep-events-for": "retention.events.age", "keep-contexts-for": "retention.contexts.age",
	}
	return withFile, alone
}

// refuseLive refuses the flags that are about a live server, without one.
func refuseLive(flags *pflag.FlagSet) error {
	var wrong []string
	of := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(liveOptions).flags(of)
	flags.Visit(func(f *pflag.Flag) {
		if of.Lookup(f.Name) != nil {
			wrong = append(wrong, "--"+f.Name)
		}
	})
	if len(wrong) == 0 {
		return nil
	}
	return usageError("%s: that is for a live server: name a source with --follow, --ingest-token-file, --config or --set", strings.Join(wrong, ", "))
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
		if err := service.Check(conf); err != nil {
			return err
		}
		what := "The flags are"
		if o.config != "" {
			what = term.Sanitize(o.config) + " is"
		}
		fmt.Fprintf(std.out, "%s a configuration of %s.\n", what, term.Plural(len(conf.Clusters), "cluster"))
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
func (o *serveOptions) configuration(flags *pflag.FlagSet) (conf *config.Config, err error) {
	settings, err := o.settings(flags)
	if err != nil {
		return nil, err
	}
	switch {
	case o.config != "":
		conf, err = config.Read(o.config, settings...)
	case !slices.ContainsFunc(settings, func(s config.Setting) bool { return s.Key == "data" }):
		return nil, usageError("name the folder in which to keep what comes, with --data")
	default:
		conf, err = config.Make(settings...)
	}
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return conf, nil
}

// settings are what the flags say, those of --set last.
func (o *serveOptions) settings(flags *pflag.FlagSet) (list []config.Setting, err error) {
	withFile, alone := liveKeys()
	var wrong []string
	flags.Visit(func(f *pflag.Flag) {
		switch key := cmp.Or(withFile[f.Name], alone[f.Name]); {
		case slices.Contains([]string{"config", "check", "set", "color"}, f.Name):
		case o.config != "" && withFile[f.Name] == "":
			wrong = append(wrong, "--"+f.Name)
		case key != "":
			list = append(list, setting("--"+f.Name, key, f.Value.String()))
		}
	})
	if len(wrong) > 0 {
		return nil, usageError("%s: with --config that stands in the file, or is set by --set", strings.Join(wrong, ", "))
	}
	if o.config == "" {
		list = append(list, o.parts(flags)...)
	}
	for _, text := range o.set {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usageError("--set %s: write KEY=VALUE, such as limits.body=32MiB", text)
		}
		list = append(list, config.Setting{By: "--set " + key, Key: key, Value: value})
	}
	return list, nil
}

// setting sets a text, which YAML is to give no meaning.
func setting(by, key, text string) config.Setting {
	return config.Setting{By: by, Key: key, Value: strconv.Quote(text)}
}

// parts are the lists of the one cluster that flags are about.
func (o *serveOptions) parts(flags *pflag.FlagSet) (list []config.Setting) {
	add := func(by, key, text string) { list = append(list, setting(by, key, text)) }
	for _, host := range o.hosts {
		add("--host", "hosts[]", host)
	}
	if !flags.Changed("cluster") && (len(o.follow) > 0 || o.ingestToken != "") {
		add("--cluster", "clusters[0].name", o.cluster)
	}
	if o.link.noModel {
		list = append(list, config.Setting{By: "--no-model", Key: "clusters[0].model", Value: "false"})
	}
	for _, path := range o.follow {
		switch kind := followed(path); kind {
		case config.Stdin:
			list = append(list, config.Setting{By: "--follow", Key: "clusters[0].sources[]", Value: "{stdin: true}"})
		default:
			add("--follow", "clusters[0].sources[]."+string(kind), path)
		}
	}
	client := func(by, name string, role auth.Role, cluster, file string) {
		value := fmt.Sprintf("{name: %s, roles: [%s], tokenFile: %q}", name, role, file)
		if cluster != "" {
			value = fmt.Sprintf("{name: %s, roles: [%s], clusters: [%q], tokenFile: %q}", name, role, cluster, file)
		}
		list = append(list, config.Setting{By: by, Key: "clients[]", Value: value})
	}
	if o.ingestToken != "" {
		list = append(list, config.Setting{By: "--ingest-token-file", Key: "clusters[0].sources[]", Value: "{webhook: true}"})
		client("--ingest-token-file", "apiserver", auth.RoleIngest, o.cluster, o.ingestToken)
	}
	if o.tokenFile != "" {
		client("--token-file", "reader", auth.RoleRead, "", o.tokenFile)
	}
	return list
}

// followed is the kind of a source by its path: a folder where there is one now.
func followed(path string) config.Kind {
	if path == follow.Stdin {
		return config.Stdin
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return config.Folder
	}
	return config.File
}
