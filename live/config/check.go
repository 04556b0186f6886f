package config

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/server"
)

// Mistake is what is wrong with a Config as a whole.
type Mistake struct {
	// Key is the key of the configuration that it is about, such as
	// clusters[1].sources[0].
	Key string
	Err error
}

// Error says what is wrong, and with which key.
func (m *Mistake) Error() string { return m.Key + ": " + m.Err.Error() }

// Unwrap gives what is wrong.
func (m *Mistake) Unwrap() error { return m.Err }

func mistake(key, format string, args ...any) *Mistake {
	return &Mistake{Key: key, Err: fmt.Errorf(format, args...)}
}

// Check looks at a configuration as a whole, as Parse does. It gives nil when
// nothing is wrong.
func (c *Config) Check() *Mistake {
	if c.Data == "" {
		return mistake("data", "the folder of the data set is missing")
	}
	if len(c.Clusters) == 0 {
		return mistake("clusters", "there is no cluster: name one, with its sources")
	}
	for _, check := range []func() *Mistake{c.checkSources, c.checkClients} {
		if m := check(); m != nil {
			return m
		}
	}
	if err := server.CheckListen(c.Listen, true); err != nil {
		return &Mistake{"listen", err}
	}
	if server.CheckListen(c.Listen, c.Reads()) != nil {
		return mistake("listen", "%s can be reached by others, and nobody may read: name a client with the role %s, or listen on %s",
			c.Listen, auth.RoleRead, DefaultListen)
	}
	if c.Metrics != "" {
		// What it tells is no part of a log.
		if err := server.CheckListen(c.Metrics, true); err != nil {
			return &Mistake{"metrics.listen", err}
		}
	}
	return nil
}

// checkSources finds what two sources share that they must not.
func (c *Config) checkSources() *Mistake {
	names, taken := map[string]bool{}, map[Source]string{}
	for i := range c.Clusters {
		cluster := &c.Clusters[i]
		if _, err := parseName(cluster.Name); err != nil {
			return &Mistake{fmt.Sprintf("clusters[%d].name", i), err}
		}
		if names[cluster.Name] {
			return mistake(fmt.Sprintf("clusters[%d]", i), "two clusters are named %s", cluster.Name)
		}
		names[cluster.Name] = true
		for j, s := range cluster.Sources {
			key := fmt.Sprintf("clusters[%d].sources[%d]", i, j)
			if s.Kind == Webhook {
				s.Path = cluster.Name // each cluster may have one
				if !slices.ContainsFunc(c.Clients, func(a auth.Client) bool { return sends(a, cluster.Name) }) {
					return mistake(key, "no client may send events of cluster %s: name one under clients, with the role %s and this cluster", cluster.Name, auth.RoleIngest)
				}
			}
			if other, ok := taken[s]; ok {
				return mistake(key, "cluster %s has the same source", other)
			}
			taken[s] = cluster.Name
		}
	}
	return nil
}

func sends(a auth.Client, cluster string) bool {
	return auth.Identity{Roles: a.Roles, Clusters: a.Clusters}.MayIngest(cluster)
}

// checkClients finds clients that could do nothing, and those that are one.
func (c *Config) checkClients() *Mistake {
	names := map[string]bool{}
	for i := range c.Clients {
		client := &c.Clients[i]
		if err := client.Check(); err != nil {
			return &Mistake{fmt.Sprintf("clients[%d]", i), err}
		}
		if names[client.Name] {
			return mistake(fmt.Sprintf("clients[%d]", i), "two clients are named %s", client.Name)
		}
		names[client.Name] = true
		for _, name := range client.Clusters {
			known := slices.ContainsFunc(c.Clusters, func(k Cluster) bool {
				return k.Name == name && slices.Contains(k.Sources, Source{Kind: Webhook})
			})
			if name != auth.AllClusters && !known {
				return mistake(fmt.Sprintf("clients[%d]", i), "client %s sends events of cluster %.80q, which has no webhook among its sources", client.Name, name)
			}
		}
		if client.CommonName != "" && c.TLS.Certificate == "" {
			return mistake(fmt.Sprintf("clients[%d]", i), "client %s has a certificate, which needs TLS: give tls.certificate and tls.key", client.Name)
		}
		if client.CommonName != "" && client.CA == "" && c.ClientCA == "" {
			return mistake(fmt.Sprintf("clients[%d]", i), "client %s has a certificate, which needs an authority: give its own as ca, or tls.clientCA for all", client.Name)
		}
	}
	return nil
}

// check looks at the whole, and finds the line of what is wrong.
func (p *parser) check(root ast.Node) error {
	m := p.config.Check()
	if m == nil {
		return nil
	}
	n := root
	for i, node := range p.clients {
		if m.Key == fmt.Sprintf("clients[%d]", i) {
			n = node
		}
	}
	for i, node := range p.clusters {
		if m.Key == fmt.Sprintf("clusters[%d]", i) {
			n = node
		}
		for j, source := range p.sources[i] {
			if m.Key == fmt.Sprintf("clusters[%d].sources[%d]", i, j) {
				n = source
			}
		}
	}
	switch m.Key {
	case "listen":
		n = p.listen
	case "metrics.listen":
		n = p.metrics
	}
	return p.Errorf(n, m.Key, "%w", m.Err)
}
