package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"github.com/whet-k8s/whet/internal/yamldoc"
	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/retain"
	"github.com/whet-k8s/whet/store"
)

// The header of every configuration.
const (
	apiVersion = "whet/v1"
	kind       = "ServeConfig"
)

// Setting puts a value in the place of what a file says.
type Setting struct {
	// By is what errors name: the flag that it comes from.
	By string
	// Key is the path of a key, such as limits.body or clusters[0].keep;
	// yamldoc.Document.Set tells more.
	Key string
	// Value is the value in YAML. Relative paths in it begin at the folder that the
	// program runs in.
	Value string
}

// Read reads a file, as Parse does.
func Read(name string, settings ...Setting) (*Config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(name, data, settings...)
}

// Parse reads a configuration, and makes settings in it. The name is that of its
// file, which stands in errors and whose folder relative paths begin at.
func Parse(name string, data []byte, settings ...Setting) (*Config, error) {
	folder, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("finding the folder of %s: %w", name, err)
	}
	p := &parser{Document: yamldoc.New(name, "configuration"), folder: folder}
	root, err := p.Parse(data)
	if err != nil {
		return nil, err
	}
	return p.parse(root, settings)
}

// Make makes a configuration of settings alone.
func Make(settings ...Setting) (*Config, error) {
	p := &parser{Document: yamldoc.New("", "configuration")}
	root, err := p.Empty()
	if err != nil {
		return nil, fmt.Errorf("making a configuration: %w", err)
	}
	header := []Setting{{"apiVersion", "apiVersion", apiVersion}, {"kind", "kind", kind}}
	return p.parse(root, append(header, settings...))
}

func (p *parser) parse(root ast.Node, settings []Setting) (*Config, error) {
	for _, s := range settings {
		if err := p.Set(root, s.By, s.Key, s.Value); err != nil {
			return nil, err
		}
	}
	p.config.Listen, p.listen = DefaultListen, root
	err := p.Mapping(root, "", p.fields())
	switch {
	case err != nil:
		return nil, err
	case p.apiVersion != apiVersion:
		return nil, p.Errorf(root, "apiVersion", "want %s, have %q", apiVersion, p.apiVersion)
	case p.kind != kind:
		return nil, p.Errorf(root, "kind", "want %s, have %q", kind, p.kind)
	}
	return &p.config, p.check(root)
}

// parser fills a Config. It keeps the nodes that errors of the whole name.
type parser struct {
	*yamldoc.Document
	folder           string
	config           Config
	apiVersion, kind string
	listen, metrics  ast.Node
	clients          []ast.Node
	clusters         []ast.Node
	sources          [][]ast.Node // by cluster
}

// reader reads the value of a key.
type reader = func(n ast.Node, path string) error

func (p *parser) fields() []yamldoc.Field {
	c := &p.config
	return []yamldoc.Field{
		{Name: "apiVersion", Read: p.Text(&p.apiVersion)},
		{Name: "kind", Read: p.Text(&p.kind)},
		{Name: "data", Read: p.path(&c.Data)},
		{Name: "listen", Read: func(n ast.Node, path string) error {
			p.listen = n
			return p.Text(&c.Listen)(n, path)
		}},
		{Name: "metrics", Read: p.group(yamldoc.Field{Name: "listen", Read: func(n ast.Node, path string) error {
			p.metrics = n
			return p.Text(&c.Metrics)(n, path)
		}})},
		{Name: "hosts", Read: p.texts(&c.Hosts)},
		{Name: "tls", Read: p.readTLS},
		{Name: "clients", Read: p.each(p.readClient)},
		{Name: "clusters", Read: p.each(p.readCluster)},
		{Name: "queue", Read: p.group(
			yamldoc.Field{Name: "maxBytes", Read: yamldoc.Value(p.Document, &c.Queue.MaxBytes, ParseBytes)},
			yamldoc.Field{Name: "maxAge", Read: yamldoc.Value(p.Document, &c.Queue.MaxAge, ParseDuration)},
			yamldoc.Field{Name: "minFree", Read: yamldoc.Value(p.Document, &c.Queue.MinFree, ParseBytes)},
			yamldoc.Field{Name: "syncEvery", Read: yamldoc.Value(p.Document, &c.Queue.SyncEvery, parsePause)},
		)},
		{Name: "limits", Read: p.readLimits()},
		{Name: "checkpoint", Read: p.group(
			yamldoc.Field{Name: "every", Read: yamldoc.Value(p.Document, &c.Every, ParseDuration)},
			yamldoc.Field{Name: "grace", Read: yamldoc.Value(p.Document, &c.Grace, ParseDuration)},
		)},
		{Name: "retention", Read: p.group(
			yamldoc.Field{Name: "events", Read: p.limit(&c.Retention.Events)},
			yamldoc.Field{Name: "contexts", Read: p.limit(&c.Retention.Contexts)},
			yamldoc.Field{Name: "raw", Read: p.limit(&c.Retention.Raw)},
		)},
		{Name: "alerts", Read: p.path(&c.Alerts)},
		{Name: "access", Read: p.group(
			yamldoc.Field{Name: "file", Read: p.path(&c.Access.File)},
			yamldoc.Field{Name: "maxBytes", Read: yamldoc.Value(p.Document, &c.Access.MaxBytes, ParseBytes)},
			yamldoc.Field{Name: "files", Read: yamldoc.Value(p.Document, &c.Access.Files, parseCount)},
		)},
		{Name: "log", Read: p.group(
			yamldoc.Field{Name: "format", Read: yamldoc.Value(p.Document, &c.Log.JSON, ParseFormat)},
			yamldoc.Field{Name: "level", Read: yamldoc.Value(p.Document, &c.Log.Level, ParseLevel)},
		)},
	}
}

// group reads a mapping.
func (p *parser) group(fields ...yamldoc.Field) reader {
	return func(n ast.Node, path string) error { return p.Mapping(n, path, fields) }
}

// each reads a list.
func (p *parser) each(read reader) reader {
	return func(n ast.Node, path string) error { return p.List(n, path, read) }
}

// texts reads a list of texts.
func (p *parser) texts(list *[]string) reader {
	return p.each(func(n ast.Node, path string) error {
		s, err := p.Scalar(n, path)
		*list = append(*list, s)
		return err
	})
}

// path reads the path of a file or a folder.
func (p *parser) path(name *string) reader {
	return func(n ast.Node, path string) error {
		s, err := p.Scalar(n, path)
		switch {
		case err != nil:
			return err
		case s == "":
			return p.Errorf(n, path, "want a path")
		case filepath.IsAbs(s):
			*name = filepath.Clean(s)
		case p.IsSet(n):
			*name, err = filepath.Abs(s)
		default:
			*name = filepath.Join(p.folder, s)
		}
		if err != nil {
			return p.Errorf(n, path, "finding the folder that %s begins at: %w", s, err)
		}
		return nil
	}
}

func (p *parser) readTLS(n ast.Node, path string) error {
	c := &p.config
	err := p.Mapping(n, path, []yamldoc.Field{
		{Name: "certificate", Read: p.path(&c.TLS.Certificate)},
		{Name: "key", Read: p.path(&c.TLS.Key)},
		{Name: "clientCA", Read: p.path(&c.ClientCA)},
	})
	if err == nil && (c.TLS.Certificate == "" || c.TLS.Key == "") {
		err = p.Errorf(n, path, "TLS needs both certificate and key")
	}
	return err
}

func (p *parser) readClient(n ast.Node, path string) error {
	var c auth.Client
	var roles []string
	err := p.Mapping(n, path, []yamldoc.Field{
		{Name: "name", Read: p.Text(&c.Name)},
		{Name: "roles", Read: p.texts(&roles)},
		{Name: "clusters", Read: p.texts(&c.Clusters)},
		{Name: "tokenFile", Read: p.path(&c.TokenFile)},
		{Name: "commonName", Read: p.Text(&c.CommonName)},
		{Name: "ca", Read: p.path(&c.CA)},
	})
	for _, r := range roles {
		c.Roles = append(c.Roles, auth.Role(r))
	}
	p.config.Clients = append(p.config.Clients, c)
	p.clients = append(p.clients, n)
	return err
}

func (p *parser) readCluster(n ast.Node, path string) error {
	c := Cluster{Keep: store.KeepEvents}
	redact, model := true, true
	var sources []ast.Node
	err := p.Mapping(n, path, []yamldoc.Field{
		{Name: "name", Read: yamldoc.Value(p.Document, &c.Name, parseName)},
		{Name: "sources", Read: p.each(func(n ast.Node, path string) error {
			s, err := p.readSource(n, path)
			c.Sources = append(c.Sources, s)
			sources = append(sources, n)
			return err
		})},
		{Name: "policy", Read: p.path(&c.Policy)},
		{Name: "keep", Read: yamldoc.Value(p.Document, &c.Keep, ParseKeep)},
		{Name: "redact", Read: p.Bool(&redact)},
		{Name: "model", Read: p.Bool(&model)},
		{Name: "ranker", Read: p.path(&c.Ranker)},
	})
	c.NoRedact, c.NoModel = !redact, !model
	p.config.Clusters = append(p.config.Clusters, c)
	p.clusters, p.sources = append(p.clusters, n), append(p.sources, sources)
	switch {
	case err != nil:
		return err
	case c.Name == "":
		return p.Errorf(n, path+".name", "a cluster needs a name")
	case c.NoModel && c.Ranker != "":
		return p.Errorf(n, path+".ranker", "model: false leaves the links to the rules, and a ranker helps them: one of the two is enough")
	case len(c.Sources) == 0:
		return p.Errorf(n, path+".sources", "cluster %s has no source: there are webhook, file, folder and stdin", c.Name)
	}
	return nil
}

// readSource reads a mapping with one key, the kind of the source.
func (p *parser) readSource(n ast.Node, path string) (Source, error) {
	var list []Source
	named := func(k Kind) yamldoc.Field {
		return yamldoc.Field{Name: string(k), Read: func(n ast.Node, path string) error {
			s := Source{Kind: k}
			err := p.path(&s.Path)(n, path)
			list = append(list, s)
			return err
		}}
	}
	plain := func(k Kind) yamldoc.Field {
		return yamldoc.Field{Name: string(k), Read: func(n ast.Node, path string) error {
			on, err := p.Boolean(n, path)
			if err == nil && !on {
				err = p.Errorf(n, path, "leave the source out instead")
			}
			list = append(list, Source{Kind: k})
			return err
		}}
	}
	err := p.Mapping(n, path, []yamldoc.Field{plain(Webhook), named(File), named(Folder), plain(Stdin)})
	if err == nil && len(list) != 1 {
		err = p.Errorf(n, path, "a source is one of webhook, file, folder and stdin, and here are %d", len(list))
	}
	if err != nil {
		return Source{}, err
	}
	return list[0], nil
}

func (p *parser) readLimits() reader {
	l := &p.config.Limits
	return p.group(
		yamldoc.Field{Name: "body", Read: yamldoc.Value(p.Document, &l.Body, ParseBytes)},
		yamldoc.Field{Name: "ratio", Read: yamldoc.Value(p.Document, &l.Ratio, func(s string) (int64, error) {
			n, err := parseCount(s)
			return int64(n), err
		})},
		yamldoc.Field{Name: "memory", Read: yamldoc.Value(p.Document, &l.Memory, ParseBytes)},
		yamldoc.Field{Name: "concurrent", Read: yamldoc.Value(p.Document, &l.Concurrent, parseCount)},
		yamldoc.Field{Name: "bodyTime", Read: yamldoc.Value(p.Document, &l.BodyTime, ParseDuration)},
		yamldoc.Field{Name: "waitTime", Read: yamldoc.Value(p.Document, &l.WaitTime, ParseDuration)},
		yamldoc.Field{Name: "eventsPerSecond", Read: yamldoc.Value(p.Document, &l.EventsPerSecond, func(s string) (float64, error) {
			n, err := strconv.ParseFloat(s, 64)
			if err != nil || !(n > 0) || math.IsInf(n, 0) {
				return 0, fmt.Errorf("want a number above 0, have %q", s)
			}
			return n, nil
		})},
		yamldoc.Field{Name: "ahead", Read: yamldoc.Value(p.Document, &l.Ahead, ParseDuration)},
	)
}

// limit reads how much is kept of a kind of data.
func (p *parser) limit(l *retain.Limit) reader {
	return p.group(
		yamldoc.Field{Name: "age", Read: yamldoc.Value(p.Document, &l.Age, ParseDuration)},
		yamldoc.Field{Name: "bytes", Read: yamldoc.Value(p.Document, &l.Bytes, ParseBytes)},
	)
}

// ParseFormat reads how to log: json or text.
func ParseFormat(s string) (json bool, err error) {
	switch s {
	case "json", "text":
		return s == "json", nil
	}
	return false, fmt.Errorf("there are json and text, and not %q", s)
}

// ParseLevel reads the least that is logged: debug, info, warn or error.
func ParseLevel(s string) (slog.Level, error) {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if s == levelName(l) {
			return l, nil
		}
	}
	return 0, fmt.Errorf("there are debug, info, warn and error, and not %q", s)
}

func levelName(l slog.Level) string {
	switch l {
	case slog.LevelDebug:
		return "debug"
	case slog.LevelWarn:
		return "warn"
	case slog.LevelError:
		return "error"
	}
	return "info"
}

// ParseKeep reads what of a cluster is kept: events or contexts.
func ParseKeep(s string) (store.Keep, error) {
	switch k := store.Keep(s); k {
	case store.KeepEvents, store.KeepContexts:
		return k, nil
	case store.KeepAll:
		return "", errors.New("live mode keeps events or contexts; to keep every byte, keep the log itself")
	}
	return "", fmt.Errorf("there are %s and %s, and not %q", store.KeepEvents, store.KeepContexts, s)
}
