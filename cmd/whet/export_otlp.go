package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/whet-k8s/whet/export"
	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

const exportOTLPHelp = `Otlp gives each context as an OpenTelemetry trace: each request is a span of the
service that sent it, below the request that caused it (docs/export.md lists the
attributes).

Without --endpoint it writes OTLP/JSON, a batch a line, which a collector reads
with its otlpjsonfile receiver. With --endpoint it sends the traces by OTLP/HTTP
(protobuf, gzip), and tries again for up to a minute a batch when the collector
is away or overloaded. Ids follow from the log alone: what is sent twice is the
same spans.

Headers with secrets are better given in OTEL_EXPORTER_OTLP_HEADERS
(key=value,key=value, values in percent encoding) than with --header, which other
users of the machine can see.`

const exportOTLPExample = `  whet export otlp audit.log -o traces.jsonl
  whet export otlp --data DIR --where 'actor == alice' --endpoint http://localhost:4318
  whet export otlp --data DIR --endpoint https://tempo.example --ca ca.pem --header 'X-Scope-OrgID: lab'`

// headersVariable holds headers as OpenTelemetry's exporters take them
// (OpenTelemetry protocol exporter specification).
const headersVariable = "OTEL_EXPORTER_OTLP_HEADERS"

// otlpOptions are the flags of whet export otlp.
type otlpOptions struct {
	exportOptions
	endpoint string
	headers  []string
	ca       string
	timeout  time.Duration
	server   string
}

func newExportOTLPCommand(std *stdio) *cobra.Command {
	var o otlpOptions
	cmd := &cobra.Command{
		Use:     "otlp {LOG... | --data DIR}",
		Short:   "Give each context as an OpenTelemetry trace",
		Long:    exportOTLPHelp,
		Example: exportOTLPExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExportOTLP(cmd.Context(), std, &o, args)
		},
	}
	f := cmd.Flags()
	o.flags(f)
	o.whereFlag(f, "contexts")
	f.StringVar(&o.endpoint, "endpoint", "", "send to the collector at this `URL`; without a path, to /v1/traces")
	f.StringArrayVar(&o.headers, "header", nil, "add this header, `NAME: VALUE`")
	f.StringVar(&o.ca, "ca", "", "trust the authorities in this PEM `FILE`, and no others, to vouch for the collector")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long one attempt to send may take")
	f.StringVar(&o.server, "server", export.DefaultServer, "`URL` of the API server, for server.address and url.full")
	return cmd
}

func runExportOTLP(ctx context.Context, std *stdio, o *otlpOptions, inputs []string) error {
	if err := o.check(inputs); err != nil {
		return err
	}
	expr, err := o.expr(query.Contexts)
	if err != nil {
		return err
	}
	if err := export.CheckServer(o.server); err != nil {
		return &exitError{exitUsage, fmt.Errorf("--server: %w", err)}
	}
	sender, err := o.sender()
	if err != nil {
		return err
	}
	var data *store.DataSet
	if o.data != "" {
		if data, err = openData(ctx, std, o.data); err != nil {
			return err
		}
		defer data.Close()
	} else {
		var remove func()
		if data, remove, err = o.temporary(ctx, std, inputs); err != nil {
			return err
		}
		defer remove()
	}
	if sender != nil {
		defer sender.Close()
		err = o.send(ctx, std, sender, o.traces(ctx, data, expr))
	} else {
		err = o.writeTraces(std, inputs, o.traces(ctx, data, expr))
	}
	if err != nil {
		return err
	}
	return damagedError(o.data, data)
}

// writeTraces writes batches to the output.
func (o *otlpOptions) writeTraces(std *stdio, inputs []string, batches iter.Seq2[*tracepb.TracesData, error]) error {
	return o.write(std, inputs, func(w io.Writer) error {
		for batch, err := range batches {
			if err != nil {
				return err
			}
			if err := export.WriteTraces(w, batch); err != nil {
				return err
			}
		}
		return nil
	})
}

// traces gives the contexts that fit as batches of spans.
func (o *otlpOptions) traces(ctx context.Context, data *store.DataSet, expr *query.Expr) iter.Seq2[*tracepb.TracesData, error] {
	eventsOf := func(contexts []*store.Context, everywhere bool) iter.Seq2[*store.Event, error] {
		return data.Events(ctx, ofContexts(contexts, everywhere), store.Page{})
	}
	return export.Traces(ctx, data.Contexts(ctx, expr.Where(), store.Page{}), eventsOf, export.TraceOptions{Server: o.server})
}

// ofContexts asks for the events of contexts. What the clock started is a context
// of its own. Unless they are looked for everywhere, the times of the contexts
// bound where a data set has to look.
func ofContexts(contexts []*store.Context, everywhere bool) store.Where {
	w := store.Where{SQL: "coalesce(autonomous, context) in (" + strings.TrimSuffix(strings.Repeat("?, ", len(contexts)), ", ") + ")"}
	var end time.Time
	for _, c := range contexts {
		w.Args = append(w.Args, c.ID)
		if c.End.After(end) {
			end = c.End
		}
	}
	if !everywhere {
		// Contexts come in the order of their start.
		w.SQL += " and requestReceivedTimestamp >= ? and requestReceivedTimestamp <= ?"
		w.Args = append(w.Args, contexts[0].Start, end)
		w.From, w.To = contexts[0].Start, end
	}
	return w
}

// sender makes the sender to --endpoint, nil without one.
func (o *otlpOptions) sender() (*export.Sender, error) {
	if o.endpoint == "" {
		if len(o.headers) > 0 || o.ca != "" {
			return nil, usageError("--header and --ca say how to send, and --endpoint does not say where")
		}
		return nil, nil
	}
	if o.output != "" {
		return nil, usageError("--endpoint %s and --output %s: choose one", o.endpoint, o.output)
	}
	s := export.SenderOptions{Endpoint: o.endpoint, Timeout: o.timeout, Headers: http.Header{}}
	if err := variableHeaders(s.Headers, os.Getenv(headersVariable)); err != nil {
		return nil, err
	}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, usageError("--header: write NAME: VALUE")
		}
		s.Headers.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca) //nolint:gosec // The user names the file.
		if err != nil {
			return nil, fmt.Errorf("reading the authorities (--ca): %w", err)
		}
		s.RootCAs = x509.NewCertPool()
		if !s.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the authorities (--ca): %s holds no certificate in PEM", o.ca)
		}
	}
	sender, err := export.NewSender(s)
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("--endpoint: %w", err)}
	}
	return sender, nil
}

// variableHeaders reads headers from the environment: key=value pairs between
// commas, in percent encoding as W3C Baggage has it. The error does not quote
// them.
func variableHeaders(h http.Header, list string) error {
	for _, pair := range strings.Split(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil || strings.TrimSpace(name) == "" {
			return fmt.Errorf("the variable %s is not key=value,key=value", headersVariable)
		}
		h.Set(strings.TrimSpace(name), value)
	}
	return nil
}

// send sends the batches one after the other, shows how far it is, and says in
// the end what was sent.
func (o *otlpOptions) send(ctx context.Context, std *stdio, sender *export.Sender, batches iter.Seq2[*tracepb.TracesData, error]) error {
	progress := func(int64) {}
	if term.IsTerminal(std.err) {
		p := &term.Progress{Out: std.err, Columns: term.Columns(std.err, os.Getenv), Begun: time.Now()}
		progress = func(n int64) { p.Update(time.Now(), 0, 0, term.Count(n)+" spans") }
		defer p.Clear()
	}
	var sent, rejected int64
	var why string
	for batch, err := range batches {
		if err != nil {
			return err
		}
		err = sender.Send(ctx, batch)
		var partial *export.PartialError
		switch {
		case errors.As(err, &partial):
			rejected += partial.Rejected
			why = partial.Message
		case err != nil:
			return fmt.Errorf("after %s: %w", term.Plural(sent, "span"), err)
		}
		for _, r := range batch.ResourceSpans {
			for _, s := range r.ScopeSpans {
				sent += int64(len(s.Spans))
			}
		}
		progress(sent)
	}
	if rejected > 0 {
		return fmt.Errorf("the collector rejected %d of %d spans: %s", rejected, sent, why)
	}
	fmt.Fprintf(std.err, "Sent %s.\n", term.Plural(sent, "span"))
	return nil
}
