package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/server"
	"github.com/whet-k8s/whet/store"
	"github.com/whet-k8s/whet/web"
)

const serveHelp = `Serve shows a log or a data set in the browser: who did what, when, and what
followed. It prints the address to open, and runs until Ctrl-C.

A LOG is analysed first, into a temporary folder that is removed at the end; raw
lines are kept there, with the data of Secrets and tokens redacted. --data shows
a data set that whet analyze --out made, as it was when serve began.

Live, it takes the audit events of clusters as they come, keeps them in a data
set, and shows contexts while they happen. --config names a file that says which
clusters and sources there are, and who may send and read (docs/live.md). For one
cluster flags do: --follow reads a log while it is written, through its
rotations, or a folder of logs, or - for standard input; --ingest-token-file takes
what an API server sends to /ingest/CLUSTER. --set reaches every key of the file,
with it or without: --set clusters[0].keep=contexts; [] adds to a list, and the
value is YAML. --listen, --log-format, --log-level and --set count more than the
file; the other flags of a live server do not go with one.

The server of a log reads, and changes nothing. Unless told otherwise it listens on this
machine alone. An address that others can reach needs --token-file, or
--tls-cert, --tls-key and --tls-client-ca (docs/serve.md).`

const serveExample = `  whet serve audit.log
  whet serve --data audit.whet --listen 127.0.0.1:9000
  whet serve --data audit.whet --listen 10.0.0.5:8443 --token-file token \
      --tls-cert cert.pem --tls-key key.pem --host whet.example.org
  whet serve --follow /var/log/kubernetes/audit.log --data /var/lib/whet
  whet serve --config /etc/whet/serve.yaml --check
  whet serve --config /etc/whet/serve.yaml --set limits.body=32MiB`

// servingGC is how much garbage may grow for each live byte while serving, in
// percent; gcPercent is for runs that end.
const servingGC = 100

// defaultListen is where serve listens unless told otherwise.
const defaultListen = "127.0.0.1:8080"

// listenOptions are the flags about who may ask, which serve and demo share.
type listenOptions struct {
	listen    string
	hosts     []string
	tokenFile string
	tls       server.TLSFiles
}

func (o *listenOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.listen, "listen", defaultListen, "listen on this `ADDRESS`; port 0 is any that is free")
	f.StringArrayVar(&o.hosts, "host", nil, "answer to this `NAME` too, as browsers call the server")
	f.StringVar(&o.tokenFile, "token-file", "", "ask for the token in this `FILE`")
	f.StringVar(&o.tls.Certificate, "tls-cert", "", "serve TLS with the certificate in this `FILE`")
	f.StringVar(&o.tls.Key, "tls-key", "", "the key of the certificate, a `FILE`")
	f.StringVar(&o.tls.ClientCA, "tls-client-ca", "", "ask clients for a certificate of the authorities in this `FILE`")
}

// serveOptions are the flags of whet serve.
type serveOptions struct {
	listenOptions
	liveOptions
	data   string
	policy string
	link   linkFlags
	screen screenOptions
}

func newServeCommand(std *stdio) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:     "serve {LOG... | --data DIR | --config FILE | --follow LOG --data DIR}",
		Short:   "Show a log or a data set in the browser, or a cluster live",
		Long:    serveHelp,
		Example: serveExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.live() {
				return runServeLive(cmd, std, &o, args)
			}
			if err := refuseLive(cmd.Flags()); err != nil {
				return err
			}
			return runServe(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	o.listenOptions.flags(f)
	o.liveOptions.flags(f)
	f.StringVar(&o.data, "data", "", "show the data set in this folder `DIR`; live: keep what comes in it")
	o.link.flags(f)
	f.StringVar(&o.policy, "policy", "", "noise policy for the LOG, a YAML `FILE` (default: the built-in one)")
	o.screen.flags(f)
	completeValues(cmd, "color", colorModes())
	return cmd
}

func runServe(ctx context.Context, std *stdio, o *serveOptions, inputs []string) error {
	switch {
	case o.data == "" && len(inputs) == 0:
		return usageError("nothing to show: name a log, or a data set with --data")
	case o.data != "" && len(inputs) > 0:
		return usageError("--data %s and a log too: whet analyze --out %s adds a log to a data set", o.data, o.data)
	case o.data != "" && o.policy != "":
		return usageError("--policy is for a log: a data set was made with a policy of its own")
	case o.data != "" && o.link != linkFlags{}:
		return usageError("--no-model and --ranker are for a log: a data set was linked when it was made")
	}
	policy, err := readPolicy(o.policy)
	if err != nil {
		return err
	}
	run, err := o.link.options(policy)
	if err != nil {
		return err
	}
	screen, err := o.screen.open(std, true)
	if err != nil {
		return err
	}
	l, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer l.Close() // closed by Serve when all goes well
	l.options.Policy = policy
	if o.data != "" {
		l.options.Source = []string{o.data}
		return l.serve(ctx, std, o.data)
	}
	l.options.Source = inputs
	dir, account, err := analyzeForServing(ctx, std, screen, inputs, run)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if account.Malformed > 0 {
		l.options.Warnings = append(l.options.Warnings,
			fmt.Sprintf("%s in the log, which may hide something; whet analyze names them", term.Plural(account.Malformed, "malformed line")))
	}
	return l.serve(ctx, std, dir)
}

// analyzeForServing analyses logs into a temporary data set, which the caller
// removes.
func analyzeForServing(ctx context.Context, std *stdio, s *screen, inputs []string, run pipeline.Options) (dir string, account *pipeline.Accounting, err error) {
	run.KeepGaps = true
	return keepTemporarily(ctx, store.WriterOptions{Keep: store.KeepAll}, func(sink pipeline.Sink) (*pipeline.Accounting, error) {
		done := s.progress(&run)
		defer done()
		return pipeline.Run(ctx, inputs, std.in, run, sink)
	})
}

// listening is a server that listens and does not answer yet.
type listening struct {
	net.Listener
	options server.Options
	scheme  string
}

// open checks the flags and listens, before anything that takes time.
func (o *listenOptions) open(ctx context.Context) (*listening, error) {
	config, err := o.tls.Config()
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if err := server.CheckListen(o.listen, o.tokenFile != "" || o.tls.ClientCA != ""); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	l := &listening{scheme: "http", options: server.Options{
		Assets: web.Files(), Hosts: o.hosts, TLS: config != nil, Version: version(),
	}}
	if o.tokenFile != "" {
		if l.options.Token, err = server.ReadToken(o.tokenFile); err != nil {
			return nil, err
		}
	}
	l.Listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use: choose another with --listen, such as 127.0.0.1:0 for any free port: %w", o.listen, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("listening on %s is not permitted: ports below 1024 are for the administrator", o.listen)
	case err != nil:
		return nil, fmt.Errorf("listening on %s: %w", o.listen, err)
	}
	l.options.Listen = o.listen
	if config != nil {
		l.scheme, l.Listener = "https", tls.NewListener(l.Listener, config)
	}
	return l, nil
}

// url is the address to open. A server that listens on every address is opened
// by localhost.
func (l *listening) url() string {
	host, _, err := net.SplitHostPort(l.options.Listen)
	_, port, portErr := net.SplitHostPort(l.Addr().String())
	if err != nil || portErr != nil {
		return l.scheme + "://" + l.Addr().String() + "/"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return l.scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// serve shows the data set in dir until ctx ends.
func (l *listening) serve(ctx context.Context, std *stdio, dir string) error {
	data, err := store.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer data.Close()
	if os.Getenv("GOGC") == "" {
		// DuckDB has its share of the memory now, and answers are short-lived.
		debug.SetGCPercent(servingGC)
	}
	handler, err := server.New(ctx, data, l.options)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "Serving %s (Ctrl-C ends it)\n", term.Sanitize(l.url()))
	if l.options.Token != "" && !l.options.TLS {
		fmt.Fprintln(std.err, "whet: the token and all answers travel unencrypted: give --tls-cert and --tls-key, or use a tunnel")
	}
	return server.Serve(ctx, l.Listener, handler)
}
