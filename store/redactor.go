package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/durable"
	"github.com/whet-k8s/whet/redact"
)

const (
	keyName  = "redaction.key"
	keyBytes = 32
)

// redactor takes the secret values out of events. It shows a redact.Redactor
// only what is kept of an event, and maps that many events share only once.
type redactor struct {
	*redact.Redactor
	shown audit.Event
	// clean are maps and texts in which nothing was found. What is found in one
	// depends on what the request and the body are about.
	clean [4096]seen
}

// seen is a map or a text in an event about a resource, and in a body of a kind:
// that, and no more, is what redact.Redactor.Event goes by.
type seen struct {
	identity
	resource, subresource, kind string
}

// openRedactor reads the key of the data set, or draws one. Whoever has it can
// find out whether a redacted value is one that he guesses.
func openRedactor(dir string) (*redactor, error) {
	name := filepath.Join(dir, keyName)
	key, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, keyBytes)
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("drawing the key for redaction: %w", err)
		}
		err = durable.Replace(name, durable.Bytes(key))
	}
	if err != nil {
		return nil, fmt.Errorf("the key for redaction: %w", err)
	}
	r, err := redact.New(key)
	if err != nil {
		return nil, fmt.Errorf("the key for redaction in %s: %w", name, err)
	}
	return &redactor{Redactor: r}, nil
}

// event gives an event without secret values. Of bodies only the labels are kept
// and may hold one.
func (r *redactor) event(e *audit.Event) *audit.Event {
	// What there is to look at, and was not seen before.
	var list [7]seen
	n := 0
	look := func(id identity, kind string) (known bool) {
		if id.length == 0 {
			return true
		}
		s := seen{id, e.Object.Resource, e.Object.Subresource, kind}
		if *r.slot(id) == s {
			return true
		}
		list[n] = s
		n++
		return false
	}
	look(identityOfText(e.RequestURI), "")
	look(identityOfText(e.UserAgent), "")
	look(identityOfText(e.Status.Message), "")
	annotations := look(identityOfMap(e.Annotations), "")
	extra := look(identityOfMap(e.User.Extra), "")
	request := e.Request == nil || look(identityOfMap(e.Request.Labels), e.Request.Kind)
	response := e.Response == nil || look(identityOfMap(e.Response.Labels), e.Response.Kind)
	if n == 0 && e.Impersonated == nil {
		return e
	}
	c := &r.shown
	*c = *e
	if annotations {
		c.Annotations = nil
	}
	if extra {
		c.User.Extra = nil
	}
	if request {
		c.Request = nil
	}
	if response {
		c.Response = nil
	}
	got := r.Event(c)
	if got == c {
		for i := range list[:n] {
			*r.slot(list[i].identity) = list[i]
		}
		return e
	}
	return restore(got, e)
}

// restore puts back into an event what the redactor was not shown.
func restore(got, e *audit.Event) *audit.Event {
	if got.Annotations == nil {
		got.Annotations = e.Annotations
	}
	if got.User.Extra == nil {
		got.User.Extra = e.User.Extra
	}
	if got.Request == nil {
		got.Request = e.Request
	}
	if got.Response == nil {
		got.Response = e.Response
	}
	return got
}

func (r *redactor) slot(id identity) *seen { return &r.clean[id.slot(len(r.clean))] }

// OtherRedaction says that what the data set holds of earlier runs is redacted and
// this run is not, or the other way round; it is "" where they agree.
func (w *Writer) OtherRedaction() string {
	_, err := os.Stat(filepath.Join(w.dir, keyName))
	switch {
	case len(w.manifest.Segments) == 0:
		return ""
	case w.options.NoRedact && err == nil:
		return "what it holds of earlier runs was redacted and stays so; --no-redact is for what is new"
	case w.drewKey:
		return "what it holds of earlier runs was not redacted (--no-redact) and stays so; only what is new is redacted"
	}
	return ""
}
