package store

import (
	"strconv"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
)

// bodyColumn is a column of what is kept of bodies, as JSON.
type bodyColumn struct {
	textColumn
	line   []byte
	labels mapColumn[string] // as JSON, each once
	known  map[bodyKey]int32
}

// bodyKey tells bodies apart by the identities of their texts and labels.
type bodyKey struct {
	kind, name, node, reason, kindOf, labels, image identity
	generation, replicas                            int64
	sameName                                        bool
}

// maxBodies bounds how many bodies are known.
const maxBodies = 512

// keyOf gives the key of a body. It is false for one with more in it than a key
// tells.
func keyOf(b *audit.Body, name string) (bodyKey, bool) {
	if len(b.Images) > 1 || len(b.PatchPaths) > 0 || b.Suspend != nil || b.Paused != nil {
		return bodyKey{}, false
	}
	k := bodyKey{
		kind: identityOfText(b.Kind), name: identityOfText(b.Name), node: identityOfText(b.Pod.NodeName),
		reason: identityOfText(b.Reason), kindOf: identityOfText(b.Type), labels: identityOfMap(b.Labels),
		generation: b.Generation, replicas: -1, sameName: b.Name == name,
	}
	if b.Replicas != nil {
		k.replicas = int64(*b.Replicas)
	}
	if len(b.Images) == 1 {
		k.image = identityOfText(b.Images[0])
	}
	return k, b.Replicas == nil || *b.Replicas >= 0
}

// add takes a body, nil for none. The name is that of the event's objectRef: a
// body that has the same says so without repeating it.
func (c *bodyColumn) add(b *audit.Body, name string) {
	if b == nil {
		c.index = append(c.index, none)
		return
	}
	key, ok := keyOf(b, name)
	if place, known := c.known[key]; ok && known {
		c.index = append(c.index, place)
		return
	}
	c.line = c.append(c.line[:0], b, name)
	place := c.bytes(c.line)
	c.index = append(c.index, place)
	if !ok {
		return
	}
	if c.known == nil || len(c.known) >= maxBodies {
		c.known = map[bodyKey]int32{}
	}
	c.known[key] = place
}

// forget lets go of bodies, whose JSON the column may not have any more.
func (c *bodyColumn) forget() {
	clear(c.known)
	c.labels.forget()
	c.labels.reset()
}

// append appends a body as JSON.
func (c *bodyColumn) append(line []byte, b *audit.Body, name string) []byte {
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
		w.line = append(w.line, c.labels.texts[c.labels.placeOf(b.Labels, pipeline.AppendJSONString)]...)
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
