package export

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/internal/term"
)

// graphmlKeys declares the attributes that WriteGraphML uses.
const graphmlKeys = `  <key id="title" for="graph" attr.name="title" attr.type="string"/>
  <key id="context" for="graph" attr.name="context" attr.type="string"/>
  <key id="label" for="node" attr.name="label" attr.type="string"/>
  <key id="kind" for="node" attr.name="kind" attr.type="string"/>
  <key id="username" for="node" attr.name="username" attr.type="string"/>
  <key id="apiGroup" for="node" attr.name="apiGroup" attr.type="string"/>
  <key id="resource" for="node" attr.name="resource" attr.type="string"/>
  <key id="namespace" for="node" attr.name="namespace" attr.type="string"/>
  <key id="names" for="node" attr.name="names" attr.type="string"/>
  <key id="objects" for="node" attr.name="objects" attr.type="int"/>
  <key id="root" for="node" attr.name="root" attr.type="boolean"/>
  <key id="text" for="edge" attr.name="label" attr.type="string"/>
  <key id="edgekind" for="edge" attr.name="kind" attr.type="string"/>
  <key id="verb" for="edge" attr.name="verb" attr.type="string"/>
  <key id="subresource" for="edge" attr.name="subresource" attr.type="string"/>
  <key id="failed" for="edge" attr.name="failed" attr.type="boolean"/>
  <key id="requests" for="edge" attr.name="requests" attr.type="int"/>
  <key id="rules" for="edge" attr.name="rules" attr.type="string"/>
`

// WriteGraphML writes the graph in GraphML, which Gephi, yEd, Cytoscape and
// networkx read. What XML 1.0 cannot hold is written as a visible escape.
func (g *Graph) WriteGraphML(w io.Writer) error {
	x := &graphml{}
	x.WriteString(xml.Header + `<graphml xmlns="http://graphml.graphdrawing.org/xmlns"` +
		` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"` +
		` xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">` + "\n")
	x.WriteString(graphmlKeys + "  <graph id=\"G\" edgedefault=\"directed\">\n")
	x.data("    ", "title", g.title())
	x.data("    ", "context", g.Context.ID)
	for i := range g.Nodes {
		x.node(&g.Nodes[i])
	}
	for i := range g.Edges {
		x.edge(i, &g.Edges[i])
	}
	x.WriteString("  </graph>\n</graphml>\n")
	if _, err := io.WriteString(w, x.String()); err != nil {
		return fmt.Errorf("writing the graph: %w", err)
	}
	return nil
}

// graphml gathers elements.
type graphml struct{ strings.Builder }

func (x *graphml) node(n *Node) {
	fmt.Fprintf(x, "    <node id=%q>\n", n.ID)
	x.data("      ", "label", n.Text)
	x.data("      ", "kind", string(n.Kind))
	x.data("      ", "username", n.Username)
	x.data("      ", "apiGroup", n.APIGroup)
	x.data("      ", "resource", n.Resource)
	x.data("      ", "namespace", n.Namespace)
	x.data("      ", "names", strings.Join(n.Names, ", "))
	if n.Kind == NodeObject {
		x.data("      ", "objects", strconv.Itoa(n.Objects))
	}
	x.data("      ", "root", strconv.FormatBool(n.Root))
	x.WriteString("    </node>\n")
}

func (x *graphml) edge(i int, e *Edge) {
	fmt.Fprintf(x, "    <edge id=\"e%d\" source=%q target=%q>\n", i+1, e.From, e.To)
	x.data("      ", "text", e.Text())
	x.data("      ", "edgekind", string(e.Kind))
	x.data("      ", "verb", e.Verb)
	x.data("      ", "subresource", e.Subresource)
	x.data("      ", "failed", strconv.FormatBool(e.Failed))
	x.data("      ", "requests", strconv.Itoa(e.Requests))
	x.data("      ", "rules", strings.Join(e.Rules, ", "))
	x.WriteString("    </edge>\n")
}

// data writes an attribute, unless it is empty.
func (x *graphml) data(indent, key, value string) {
	if value == "" {
		return
	}
	fmt.Fprintf(x, "%s<data key=%q>", indent, key)
	// A Builder has no errors.
	_ = xml.EscapeText(x, []byte(term.Sanitize(value)))
	x.WriteString("</data>\n")
}
