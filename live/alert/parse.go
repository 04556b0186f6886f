package alert

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/whet-k8s/whet/internal/yamldoc"
	"github.com/whet-k8s/whet/query"
)

//go:embed default.yaml
var defaultYAML []byte

// Default are the rules that are built in, without a sink.
func Default() Config {
	c, err := parse("default.yaml", defaultYAML, nil)
	if err != nil {
		panic("alert: the rules that are part of the program are wrong: " + err.Error())
	}
	return c
}

// Read reads the rules and sinks in a file of YAML. Paths in it are relative to
// its folder. Errors name the file, the line and the key.
func Read(name string) (Config, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return Config{}, fmt.Errorf("reading the rules of alerts: %w", err)
	}
	return Parse(name, data)
}

// Parse reads what is in the file that has the name, as Read does.
func Parse(name string, data []byte) (Config, error) {
	return parse(name, data, Default().Rules)
}

// parser reads one file.
type parser struct {
	*yamldoc.Document
	name     string
	config   Config
	defaults bool
	named    map[string]bool // the rules of this file
	off      map[string]bool
}

type reader = func(n ast.Node, path string) error

func parse(name string, data []byte, builtIn []Rule) (Config, error) {
	p := &parser{Document: yamldoc.New(name, "list of rules"), name: name, defaults: true, named: map[string]bool{}, off: map[string]bool{}}
	root, err := p.Parse(data)
	if err != nil {
		return Config{}, err
	}
	var rules ast.Node
	err = p.Mapping(root, "", []yamldoc.Field{
		{Name: "defaults", Read: p.Bool(&p.defaults)},
		{Name: "link", Read: yamldoc.Value(p.Document, &p.config.Link, parseLink)},
		{Name: "sinks", Read: func(n ast.Node, path string) error { return p.List(n, path, p.sink) }},
		// Rules name sinks, and change the built-in ones, whatever stands first.
		{Name: "rules", Read: func(n ast.Node, _ string) error { rules = n; return nil }},
	})
	if err != nil {
		return Config{}, err
	}
	if p.defaults {
		p.config.Rules = slices.Clone(builtIn)
	}
	if rules != nil {
		if err := p.List(rules, "rules", p.rule); err != nil {
			return Config{}, err
		}
	}
	p.config.Rules = slices.DeleteFunc(p.config.Rules, func(r Rule) bool { return p.off[r.Name] })
	return p.config, nil
}

// sink reads a sink.
func (p *parser) sink(n ast.Node, path string) error {
	var s Sink
	err := p.Mapping(n, path, []yamldoc.Field{
		{Name: "name", Read: yamldoc.Value(p.Document, &s.Name, parseName)},
		{Name: "kind", Read: yamldoc.Value(p.Document, &s.Kind, parseWord[Kind](kinds()))},
		{Name: "url", Read: yamldoc.Value(p.Document, &s.URL, parseURL)},
		{Name: "url-file", Read: p.file(&s.URLFile)},
		{Name: "token-file", Read: p.file(&s.TokenFile)},
		{Name: "path", Read: p.file(&s.Path)},
	})
	if err != nil {
		return err
	}
	posts := s.Kind == Webhook || s.Kind == Slack
	switch {
	case s.Name == "":
		return p.Errorf(n, path, "name: it is missing")
	case slices.ContainsFunc(p.config.Sinks, func(other Sink) bool { return other.Name == s.Name }):
		return p.Errorf(n, path, "name: there are two sinks %s", s.Name)
	case s.Kind == "":
		return p.Errorf(n, path, "kind: write one of %s", strings.Join(kinds(), ", "))
	case posts && (s.URL == "") == (s.URLFile == ""):
		return p.Errorf(n, path, "a sink of kind %s needs a url, or a url-file", s.Kind)
	case posts && s.Path != "", !posts && s.URL+s.URLFile+s.TokenFile != "":
		return p.Errorf(n, path, "url, url-file and token-file are for %s and %s, path for %s", Webhook, Slack, File)
	case !posts && s.Path == "":
		return p.Errorf(n, path, "path: it is missing")
	}
	p.config.Sinks = append(p.config.Sinks, s)
	return nil
}

// rule reads a rule, or changes a built-in one of the same name.
func (p *parser) rule(n ast.Node, path string) error {
	name, err := p.nameOf(n, path)
	if err != nil {
		return err
	}
	if p.named[name] {
		return p.Errorf(n, path, "name: there are two rules %s", name)
	}
	p.named[name] = true
	at := slices.IndexFunc(p.config.Rules, func(r Rule) bool { return r.Name == name })
	var r Rule
	if at >= 0 {
		r = p.config.Rules[at]
	}
	enabled := true
	err = p.Mapping(n, path, []yamldoc.Field{
		{Name: "name", Read: yamldoc.Value(p.Document, &r.Name, parseName)},
		{Name: "enabled", Read: p.Bool(&enabled)},
		{Name: "severity", Read: yamldoc.Value(p.Document, &r.Severity, parseWord[Severity](severities()))},
		{Name: "query", Read: p.Text(&r.Query)},
		{Name: "except", Read: p.texts(&r.Except)},
		{Name: "summary", Read: p.Text(&r.Summary)},
		{Name: "closed", Read: p.Bool(&r.Closed)},
		{Name: "again", Read: yamldoc.Value(p.Document, &r.Again, parseAgain)},
		{Name: "count", Read: p.count(&r.Count)},
		{Name: "sinks", Read: p.sinkNames(&r.Sinks)},
	})
	if err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(r.Query) == "":
		return p.Errorf(n, path, "query: it is missing")
	case r.Severity == "":
		return p.Errorf(n, path, "severity: write one of %s", strings.Join(severities(), ", "))
	case strings.TrimSpace(r.Summary) == "":
		r.Summary = "{actor}: {action}"
	}
	if field, err := r.compile(); err != nil {
		var wrong *query.Error
		if errors.As(err, &wrong) {
			err = errors.New(wrong.Error())
		}
		return p.Errorf(n, path+"."+field, "%w", err)
	}
	p.off[name] = !enabled
	if at >= 0 {
		p.config.Rules[at] = r
	} else {
		p.config.Rules = append(p.config.Rules, r)
	}
	return nil
}

// count reads what has a rule tell of many contexts.
func (p *parser) count(c *Count) reader {
	return func(n ast.Node, path string) error {
		read := Count{By: "actor"}
		err := p.Mapping(n, path, []yamldoc.Field{
			{Name: "of", Read: yamldoc.Value(p.Document, &read.Of, parseCount)},
			{Name: "within", Read: yamldoc.Value(p.Document, &read.Within, parseAgain)},
			{Name: "by", Read: p.Text(&read.By)},
		})
		switch {
		case err != nil:
			return err
		case read.Of == 0:
			return p.Errorf(n, path, "of: it is missing")
		case read.Within == 0:
			return p.Errorf(n, path, "within: it is missing")
		}
		*c = read
		return nil
	}
}

func parseCount(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 2 || n > maxCount {
		return 0, fmt.Errorf("write a number from 2 to %d", maxCount)
	}
	return n, nil
}

// nameOf reads the name of a rule before the rest of it.
func (p *parser) nameOf(n ast.Node, path string) (name string, err error) {
	skip := func(ast.Node, string) error { return nil }
	fields := []yamldoc.Field{{Name: "name", Read: yamldoc.Value(p.Document, &name, parseName)}}
	for _, other := range []string{"enabled", "severity", "query", "except", "summary", "closed", "again", "count", "sinks"} {
		fields = append(fields, yamldoc.Field{Name: other, Read: skip})
	}
	if err := p.Mapping(n, path, fields); err != nil {
		return "", err
	}
	if name == "" {
		return "", p.Errorf(n, path, "name: it is missing")
	}
	return name, nil
}

// texts reads a list of texts in place of the one that is there.
func (p *parser) texts(list *[]string) reader {
	return func(n ast.Node, path string) error {
		*list = nil
		return p.List(n, path, func(n ast.Node, path string) error {
			s, err := p.Scalar(n, path)
			if err == nil && s == "" {
				err = p.Errorf(n, path, "it is empty")
			}
			*list = append(*list, s)
			return err
		})
	}
}

// sinkNames reads names of sinks that there are.
func (p *parser) sinkNames(list *[]string) reader {
	return func(n ast.Node, path string) error {
		read := p.texts(list)
		if err := read(n, path); err != nil {
			return err
		}
		for _, name := range *list {
			if !slices.ContainsFunc(p.config.Sinks, func(s Sink) bool { return s.Name == name }) {
				return p.Errorf(n, path, "there is no sink %s", name)
			}
		}
		return nil
	}
}

// file reads a path, relative to the folder of the file that it stands in.
func (p *parser) file(name *string) reader {
	return func(n ast.Node, path string) error {
		s, err := p.Scalar(n, path)
		switch {
		case err != nil:
			return err
		case s == "":
			return p.Errorf(n, path, "it is empty")
		case !filepath.IsAbs(s):
			s = filepath.Join(filepath.Dir(p.name), s)
		}
		*name = s
		return nil
	}
}

// maxNameLength bounds the name of a rule or a sink, in bytes.
const maxNameLength = 64

func parseName(s string) (string, error) {
	letters := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
	if s == "" || len(s) > maxNameLength || letters != "" {
		return "", fmt.Errorf("a name has up to %d letters, digits, dots, dashes and underscores", maxNameLength)
	}
	return s, nil
}

func parseWord[T ~string](words []string) func(string) (T, error) {
	return func(s string) (T, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("write one of %s", strings.Join(words, ", "))
		}
		return T(s), nil
	}
}

func parseURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// The address may hold a secret, and does not stand in the error.
		return "", errors.New("write an address that begins with https://")
	}
	return s, nil
}

func parseLink(s string) (string, error) {
	s, err := parseURL(s)
	return strings.TrimRight(s, "/"), err
}

func parseAgain(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second {
		return 0, errors.New("write a duration of a second or more, such as 1h")
	}
	return d, nil
}
