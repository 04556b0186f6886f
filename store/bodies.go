package store

import (
	"strconv"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
)

// bodyColumn is a column of what is kept of bodies, as JSON.
type bodyColumn struct {
	textColumn
	line []byte
}

// add takes a body, nil for none. The name is that of the event's objectRef: a
// body that has the same says so without repeating it.
func (c *bodyColumn) add(b *audit.Body, name string) {
	if b == nil {
		c.index = append(c.index, none)
		return
	}
	c.line = appendBody(c.line[:0], b, name)
	c.index = append(c.index, c.bytes(c.line))
}

func appendBody(line []byte, b *audit.Body, name string) []byte {
	w := bodyWriter{append(line, '{')}
	w.text("kind", b.Kind)
	if b.Name == name {
		if name != "" {
			w.raw("named", "true")
		}
	} else {
		w.text("name", b.Name)
	}
	w.number("generation", b.Generation)
	if len(b.Labels) > 0 {
		w.key("labels")
		w.line = appendMap(w.line, b.Labels, pipeline.AppendJSONString)
	}
	if b.Replicas != nil {
		w.key("replicas")
		w.line = strconv.AppendInt(w.line, int64(*b.Replicas), 10)
	}
	w.yes("suspend", b.Suspend)
	w.yes("paused", b.Paused)
	w.text("nodeName", b.Pod.NodeName)
	w.texts("images", b.Images)
	w.text("reason", b.Reason)
	w.text("type", b.Type)
	w.texts("patchPaths", b.PatchPaths)
	return append(w.line, '}')
}

// bodyWriter writes the members of an object, without those that say nothing.
type bodyWriter struct {
	line []byte
}

func (w *bodyWriter) key(name string) {
	if w.line[len(w.line)-1] != '{' {
		w.line = append(w.line, ',')
	}
	w.line = append(append(append(w.line, '"'), name...), `":`...)
}

func (w *bodyWriter) raw(name, value string) {
	w.key(name)
	w.line = append(w.line, value...)
}

func (w *bodyWriter) text(name, value string) {
	if value != "" {
		w.key(name)
		w.line = pipeline.AppendJSONString(w.line, value)
	}
}

func (w *bodyWriter) number(name string, n int64) {
	if n != 0 {
		w.key(name)
		w.line = strconv.AppendInt(w.line, n, 10)
	}
}

func (w *bodyWriter) yes(name string, value *bool) {
	if value != nil {
		w.raw(name, strconv.FormatBool(*value))
	}
}

func (w *bodyWriter) texts(name string, list []string) {
	if len(list) > 0 {
		w.key(name)
		w.line = appendList(w.line, list)
	}
}
