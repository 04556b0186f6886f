package server

import (
	"context"

	"github.com/whet-k8s/whet/export"
	"github.com/whet-k8s/whet/store"
)

// graphNode is an actor or an object of a graph.
type graphNode struct {
	ID        string          `json:"id"`
	Kind      export.NodeKind `json:"kind"`
	Text      string          `json:"text"`
	Username  string          `json:"username,omitempty"`
	APIGroup  string          `json:"apiGroup,omitempty"`
	Resource  string          `json:"resource,omitempty"`
	Namespace string          `json:"namespace,omitempty"`
	Names     []string        `json:"names,omitempty"`
	Objects   int             `json:"objects,omitempty"`
	Root      bool            `json:"root"`
}

// graphEdge is a bundle of requests, or what they caused.
type graphEdge struct {
	From        string          `json:"from"`
	To          string          `json:"to"`
	Kind        export.EdgeKind `json:"kind"`
	Text        string          `json:"text"`
	Verb        string          `json:"verb,omitempty"`
	Subresource string          `json:"subresource,omitempty"`
	Failed      bool            `json:"failed"`
	Requests    int             `json:"requests"`
	Rules       []string        `json:"rules,omitempty"`
}

// contextGraph answers /contexts/{id}/graph.
func (a *api) contextGraph(ctx context.Context, p *params) (any, error) {
	c, err := a.oneContext(ctx, p)
	if err != nil {
		return nil, err
	}
	g, err := export.NewGraph(c, a.data.Events(ctx, ofContext(c), store.Page{Limit: maxScanned}))
	if err != nil {
		return nil, err
	}
	answer := struct {
		Nodes []graphNode `json:"nodes"`
		Edges []graphEdge `json:"edges"`
		Cut   int         `json:"cut"`
	}{Nodes: []graphNode{}, Edges: []graphEdge{}, Cut: max(0, c.Events-maxScanned)}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		answer.Nodes = append(answer.Nodes, graphNode{
			n.ID, n.Kind, n.Text, n.Username, n.APIGroup, n.Resource, n.Namespace, n.Names, n.Objects, n.Root,
		})
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		answer.Edges = append(answer.Edges, graphEdge{
			e.From, e.To, e.Kind, e.Text(), e.Verb, e.Subresource, e.Failed, e.Requests, e.Rules,
		})
	}
	return answer, nil
}
