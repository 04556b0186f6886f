package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-json"
	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/live/tail"
	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/server"
)

const tailHelp = `Tail prints contexts while they happen: of a server that whet serve runs with
--config, --ingest or --follow, or of the data set that it writes.

A context is printed when it has closed, which is when nothing has belonged to
it for five minutes (one, of a command that only reads). --open prints it as
soon as it begins, and again each time it grows.

The query is the one of whet query. A connection that breaks is tried again, and
goes on where it was; what was missed meanwhile is said on standard error.`

const tailExample = `  whet tail --server http://127.0.0.1:8080
  whet tail --server https://whet.example.org:8443 --token-file token --ca ca.pem \
      --query 'outcome == refused'
  whet tail --data DIR --open --format jsonl | jq .action`

// tailFormats are the values of --format of whet tail.
func tailFormats() []string { return []string{"text", "jsonl"} }

// tailOptions are the flags of whet tail.
type tailOptions struct {
	server, data string
	tokenFile    string
	ca           string // authorities of the server
	cert, key    string // of the client
	format       string
	limit        int
	follow       tail.Options
	screen       screenOptions
}

func newTailCommand(std *stdio) *cobra.Command {
	var o tailOptions
	cmd := &cobra.Command{
		Use:     "tail {--server URL | --data DIR}",
		Short:   "Print contexts while they happen",
		Long:    tailHelp,
		Example: tailExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runTail(cmd.Context(), std, &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "", "follow the server at this `URL`")
	f.StringVar(&o.data, "data", "", "follow the data set in this folder `DIR`")
	f.StringVarP(&o.follow.Query, "query", "q", "", "only contexts that fit this `EXPRESSION`")
	f.StringVar(&o.follow.Cluster, "cluster", "", "only contexts of this cluster, a `NAME`")
	f.BoolVar(&o.follow.Open, "open", false, "print contexts as soon as they begin, and each time they grow")
	f.IntVarP(&o.limit, "limit", "n", 0, "end after so many lines (0: go on)")
	f.StringVarP(&o.format, "format", "f", "text", "what to print: "+strings.Join(tailFormats(), ", "))
	f.StringVar(&o.tokenFile, "token-file", "", "send the server the token in this `FILE`")
	f.StringVar(&o.ca, "ca", "", "trust the authorities in this `FILE` for the server's certificate")
	f.StringVar(&o.cert, "cert", "", "show the server the certificate in this `FILE`")
	f.StringVar(&o.key, "key", "", "the key of the certificate, a `FILE`")
	o.screen.flags(f)
	completeValues(cmd, "format", tailFormats())
	completeValues(cmd, "color", colorModes())
	return cmd
}

func runTail(ctx context.Context, std *stdio, o *tailOptions) error {
	switch {
	case (o.server == "") == (o.data == ""):
		return usageError("what to follow? give either --server URL or --data DIR")
	case o.data != "" && o.tokenFile+o.ca+o.cert+o.key != "":
		return usageError("--token-file, --ca, --cert and --key are for a server")
	case (o.cert == "") != (o.key == ""):
		return usageError("--cert and --key belong together")
	case !slices.Contains(tailFormats(), o.format):
		return usageError("--format %s: there are %s", o.format, strings.Join(tailFormats(), ", "))
	case o.limit < 0:
		return usageError("--limit %d: a number of lines, or 0 to go on", o.limit)
	}
	screen, err := o.screen.open(std, true)
	if err != nil {
		return err
	}
	o.follow.Remark = func(text string) { fmt.Fprintln(std.err, "whet: "+term.Sanitize(text)) }
	n := 0
	found := func(u *tail.Update) error {
		if err := o.print(std.out, screen, u); err != nil {
			return err
		}
		if n++; n == o.limit {
			return errEnough
		}
		return nil
	}
	if o.data != "" {
		err = tail.DataSet(ctx, o.data, o.follow, found)
	} else {
		err = o.followServer(ctx, std, found)
	}
	var wrong *query.Error
	switch {
	case errors.Is(err, errEnough):
		return nil
	case errors.As(err, &wrong):
		return &exitError{exitUsage, err}
	}
	return err
}

// followServer follows the server.
func (o *tailOptions) followServer(ctx context.Context, std *stdio, found func(*tail.Update) error) error {
	config, err := o.tls()
	if err != nil {
		return err
	}
	if o.tokenFile != "" {
		o.follow.Token = func() (string, error) { return server.ReadToken(o.tokenFile) }
		if strings.HasPrefix(strings.ToLower(o.server), "http://") {
			fmt.Fprintln(std.err, "whet: the token and all answers travel unencrypted to an http address")
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	defer transport.CloseIdleConnections()
	o.follow.Client = &http.Client{Transport: transport}
	return tail.Server(ctx, o.server, o.follow, found)
}

// tls reads the certificates.
func (o *tailOptions) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities of the server: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the authorities of the server: %s holds no certificate", o.ca)
		}
	}
	if o.cert != "" {
		certificate, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate %s and its key %s: %w", o.cert, o.key, err)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

// print prints a line.
func (o *tailOptions) print(out io.Writer, s *screen, u *tail.Update) error {
	if o.format == "jsonl" {
		text, err := json.MarshalWithOption(u, json.DisableHTMLEscape())
		if err != nil {
			return fmt.Errorf("writing context %s: %w", u.ID, err)
		}
		_, err = out.Write(append(pipeline.EscapeJSON(nil, text), '\n'))
		return err
	}
	outcome, style := outcomeText(&u.Outcome)
	line := s.paint.Paint(term.Dim, u.Start.UTC().Format("2006-01-02 15:04:05")) + "  " +
		s.paint.Paint(term.Bold, term.Sanitize(actorText(&u.Actor))) + "  " +
		term.Sanitize(strings.TrimSuffix(u.Action, ", impersonating "+u.Actor.Impersonated)) + "  " + s.paint.Paint(style, outcome)
	if u.Effects > 0 {
		line += fmt.Sprintf("  %s followed", term.Count(u.Effects))
	}
	if u.Failed > 0 {
		line += fmt.Sprintf(", %s failed", term.Count(u.Failed))
	}
	if u.Open {
		line += s.paint.Paint(term.Dim, "  (open)")
	}
	_, err := fmt.Fprintln(out, line)
	return err
}
