package export

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/store"
)

func TestGraphGolden(t *testing.T) {
	for _, c := range []struct {
		log, golden string
		context     int
	}{{"pod.audit.jsonl", "pod", 0}, {"clock.metadata.jsonl", "clock", 1}, {"hostile.jsonl", "hostile", 0}} {
		l := load(t, c.log)
		g, err := NewGraph(l.contexts[c.context], all(l.events))
		if err != nil {
			t.Fatal(err)
		}
		var dot, graphml bytes.Buffer
		if err := errors.Join(g.WriteDOT(&dot), g.WriteGraphML(&graphml)); err != nil {
			t.Fatal(err)
		}
		golden(t, c.golden+".dot", dot.Bytes())
		golden(t, c.golden+".graphml", graphml.Bytes())
		checkDOT(t, g, dot.Bytes())
		checkGraphML(t, g, graphml.Bytes())
	}
}

// TestGraphCounts holds the numbers of a graph against the context's own: each
// request is in one edge.
func TestGraphCounts(t *testing.T) {
	for _, name := range []string{"pod.audit.jsonl", "clock.metadata.jsonl"} {
		l := load(t, name)
		for _, c := range l.contexts {
			g, err := NewGraph(c, all(l.events))
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			for _, e := range g.Edges {
				if e.Kind == EdgeRequest {
					got += e.Requests
				}
			}
			if want := 1 + c.Clients + c.Effects; got != want {
				t.Errorf("%s, %s: %d requests in the graph, %d in the context", name, c.Action, got, want)
			}
			roots := 0
			for _, n := range g.Nodes {
				if n.Root {
					roots++
				}
			}
			if roots != 2 {
				t.Errorf("%s, %s: %d nodes of the root, not its actor and its object", name, c.Action, roots)
			}
		}
	}
}

// TestGraphBundles wants the two pods of a scaled deployment, of which the same
// components asked the same, to be one node, where they are.
func TestGraphBundles(t *testing.T) {
	c := &store.Context{}
	c.ID = "c"
	c.Root.AuditID = "1"
	events := []*store.Event{
		made("1", "alice", "patch", "deployments", "web", ""),
		made("2", "system:serviceaccount:kube-system:replicaset-controller", "create", "pods", "web-a", "1"),
		made("3", "system:serviceaccount:kube-system:replicaset-controller", "create", "pods", "web-b", "1"),
		made("4", "system:serviceaccount:kube-system:replicaset-controller", "create", "pods", "web-c", "1"),
		made("5", "system:node:worker1", "delete", "pods", "web-c", "4"),
	}
	g, err := NewGraph(c, all(events))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range g.Nodes {
		got = append(got, n.Text)
	}
	for _, e := range g.Edges {
		got = append(got, e.From+" "+string(e.Kind)+" "+e.To+": "+e.Text())
	}
	want := []string{
		"alice", "deployment shop/web", "replicaset-controller", "2 pods in shop", "pod shop/web-c", "kubelet worker1",
		"n1 request n2: patch", "n3 request n4: create ×2", "n2 cause n3: r ×3", "n3 request n5: create",
		"n6 request n5: delete", "n5 cause n6: r",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGraphPassesErrors(t *testing.T) {
	broken := errors.New("broken")
	_, err := NewGraph(&store.Context{}, func(yield func(*store.Event, error) bool) { yield(nil, broken) })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// checkDOT has the graph drawn where Graphviz is installed, and counts what it
// found; else it only looks at the lines.
func checkDOT(t *testing.T, g *Graph, dot []byte) {
	t.Helper()
	for _, r := range string(dot) {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("the DOT file holds %U", r)
		}
	}
	if got, want := bytes.Count(dot, []byte("\n")), len(g.Nodes)+len(g.Edges)+5; got != want {
		t.Errorf("the DOT file has %d lines, not %d", got, want)
	}
	program, err := exec.LookPath("dot")
	if err != nil {
		t.Log("Graphviz is not installed; the DOT file is not drawn")
		return
	}
	cmd := exec.CommandContext(t.Context(), program, "-Tplain")
	cmd.Stdin = bytes.NewReader(dot)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dot refuses the graph: %v", err)
	}
	plain := "\n" + string(out)
	if n, e := strings.Count(plain, "\nnode "), strings.Count(plain, "\nedge "); n != len(g.Nodes) || e != len(g.Edges) {
		t.Errorf("dot sees %d nodes and %d edges, not %d and %d", n, e, len(g.Nodes), len(g.Edges))
	}
}

// checkGraphML reads the graph with an XML parser and compares.
func checkGraphML(t *testing.T, g *Graph, text []byte) {
	t.Helper()
	type data struct {
		Key   string `xml:"key,attr"`
		Value string `xml:",chardata"`
	}
	var doc struct {
		Keys []struct {
			ID string `xml:"id,attr"`
		} `xml:"key"`
		Nodes []struct {
			ID   string `xml:"id,attr"`
			Data []data `xml:"data"`
		} `xml:"graph>node"`
		Edges []struct {
			Source string `xml:"source,attr"`
			Target string `xml:"target,attr"`
			Data   []data `xml:"data"`
		} `xml:"graph>edge"`
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if rest := text[d.InputOffset():]; string(rest) != "\n" {
		t.Errorf("after the graph comes %q", rest)
	}
	if len(doc.Nodes) != len(g.Nodes) || len(doc.Edges) != len(g.Edges) {
		t.Fatalf("%d nodes and %d edges, not %d and %d", len(doc.Nodes), len(doc.Edges), len(g.Nodes), len(g.Edges))
	}
	declared := map[string]bool{}
	for _, k := range doc.Keys {
		declared[k.ID] = true
	}
	for _, n := range doc.Nodes {
		for _, d := range n.Data {
			if !declared[d.Key] {
				t.Errorf("the key %s is not declared", d.Key)
			}
		}
	}
	for i, e := range doc.Edges {
		if e.Source != g.Edges[i].From || e.Target != g.Edges[i].To {
			t.Errorf("edge %d leads from %s to %s", i, e.Source, e.Target)
		}
	}
}
