package server

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of parameters, in bytes, as openapi.yaml documents them.
const (
	maxQuery  = 8 << 10
	maxCursor = 2 << 10
	maxName   = 260
	maxText   = 1000
)

// params reads the parameters of a request. The first that is wrong is kept
// as the problem that done returns, so that a handler reads all it needs and
// asks once.
type params struct {
	request *http.Request
	values  url.Values
	read    map[string]bool
	wrong   *problem
}

func paramsOf(r *http.Request) *params {
	p := &params{request: r, read: map[string]bool{}}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.fail(&problem{status: http.StatusBadRequest, Message: "the parameters are not encoded as a URL asks for: " + err.Error()})
	}
	p.values = values
	return p
}

// path reads a part of the path of at most maxText bytes.
func (p *params) path(name string) string {
	s := p.request.PathValue(name)
	if len(s) > maxText || !utf8.ValidString(s) {
		p.fail(badParameter(name, "it is too long, or not UTF-8"))
		return ""
	}
	return s
}

func (p *params) fail(wrong *problem) {
	if p.wrong == nil {
		p.wrong = wrong
	}
}

// done returns what is wrong with the parameters, also one that nobody read:
// a misspelt parameter must not pass for an answer to what was meant.
func (p *params) done() error {
	if p.wrong != nil {
		return p.wrong
	}
	var unknown []string
	for name := range p.values {
		if !p.read[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		wrong := badParameter(unknown[0], "there is no such parameter here")
		known := make([]string, 0, len(p.read))
		for name := range p.read {
			known = append(known, name)
		}
		slices.Sort(known)
		wrong.Hint = "there are " + strings.Join(known, ", ")
		if len(known) == 0 {
			wrong.Hint = "there are none"
		}
		return wrong
	}
	return nil
}

// text reads a parameter of at most limit bytes, "" when it is missing.
func (p *params) text(name string, limit int) string {
	p.read[name] = true
	values := p.values[name]
	switch {
	case len(values) == 0:
		return ""
	case len(values) > 1:
		p.fail(badParameter(name, "it is given %d times", len(values)))
	case len(values[0]) > limit:
		p.fail(badParameter(name, "it is longer than %d bytes", limit))
	case !utf8.ValidString(values[0]):
		p.fail(badParameter(name, "it is not UTF-8"))
	default:
		return values[0]
	}
	return ""
}

// required is text that must not be missing.
func (p *params) required(name string, limit int) string {
	s := p.text(name, limit)
	if s == "" {
		p.fail(badParameter(name, "it is missing"))
	}
	return s
}

// number reads a whole number between low and high; byDefault when it is
// missing.
func (p *params) number(name string, byDefault, low, high int) int {
	s := p.text(name, maxText)
	if s == "" {
		return byDefault
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		p.fail(badParameter(name, "write a number from %d to %d", low, high))
		return byDefault
	}
	return n
}

// flag reads true or false, false when it is missing.
func (p *params) flag(name string) bool {
	return p.choice(name, "false", "true") == "true"
}

// choice reads one of some words, the first when it is missing.
func (p *params) choice(name string, words ...string) string {
	s := p.text(name, maxText)
	if s == "" {
		return words[0]
	}
	if !slices.Contains(words, s) {
		p.fail(badParameter(name, "write one of %s", strings.Join(words, ", ")))
		return words[0]
	}
	return s
}

// when reads a point in time, the zero time when it is missing.
func (p *params) when(name string) time.Time {
	s := p.text(name, maxText)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		p.fail(badParameter(name, "write a time as 2026-11-23T18:00:00Z"))
		return time.Time{}
	}
	return t.UTC()
}
