package export

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/whet-k8s/whet/internal/term"
)

// maxLabel bounds a label of a picture, in runes.
const maxLabel = 60

// WriteDOT writes the graph in the language of Graphviz; dot -Tsvg draws it.
// Labels are sanitised and cut at 60 characters; what is cut stands in the
// tooltip.
func (g *Graph) WriteDOT(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "digraph context {\n  label=%s;\n  labelloc=t; rankdir=LR; fontname=Helvetica;\n", dotString(g.title()))
	b.WriteString("  node [fontname=Helvetica, fontsize=11]; edge [fontname=Helvetica, fontsize=9];\n")
	for i := range g.Nodes {
		n := &g.Nodes[i]
		fmt.Fprintf(b, "  %s [label=%s, tooltip=%s, %s];\n", n.ID, dotString(short(n.Text)), dotString(term.Sanitize(n.tooltip())), n.dotStyle())
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		fmt.Fprintf(b, "  %s -> %s [label=%s, %s];\n", e.From, e.To, dotString(short(e.Text())), e.dotStyle())
	}
	b.WriteString("}\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the graph: %w", err)
	}
	return nil
}

// tooltip says all about a node.
func (n *Node) tooltip() string {
	if n.Kind != NodeObject {
		return n.Username
	}
	text := strings.Join(n.Names, ", ")
	if more := n.Objects - len(n.Names); more > 0 && len(n.Names) > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if text == "" {
		return n.Text
	}
	return text
}

func (n *Node) dotStyle() string {
	style := "shape=box"
	switch n.Kind {
	case NodeActor:
		style = `shape=ellipse, style=filled, fillcolor="#fde9b8"`
	case NodeComponent:
		style = `shape=ellipse, style=filled, fillcolor="#dbe9f6"`
	}
	if n.Objects > 1 {
		style = "shape=box3d"
	}
	if n.Root {
		style += ", penwidth=2"
	}
	return style
}

func (e *Edge) dotStyle() string {
	switch {
	case e.Kind == EdgeCause:
		return `style=dashed, color="#7a7a7a", fontcolor="#7a7a7a"`
	case e.Failed:
		return `color="#c0392b", fontcolor="#c0392b"`
	}
	return `color="#333333"`
}

// short sanitises a label and cuts it.
func short(text string) string {
	text = term.Sanitize(text)
	if utf8.RuneCountInString(text) <= maxLabel {
		return text
	}
	return string([]rune(text)[:maxLabel-1]) + "…"
}

// dotString quotes a text for Graphviz, in which a backslash begins an escape
// and an ampersand a character entity, within quotes too.
func dotString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;").Replace(text) + `"`
}
