package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Role is what a client may do.
type Role string

// The roles.
const (
	// RoleIngest sends events.
	RoleIngest Role = "ingest"
	// RoleRead reads contexts and events, of all clusters.
	RoleRead Role = "read"
)

// AllClusters is what a Client has as its only cluster that may send events of
// every one.
const AllClusters = "*"

// Client is somebody who may use the server. It needs a TokenFile or a
// CommonName, and may have both; either is enough then.
type Client struct {
	// Name stands in logs, in the audit trail and as the source of events:
	// letters, digits, dots, dashes and underscores.
	Name string
	// Roles say what it may do.
	Roles []Role
	// Clusters are those whose events it may send, or AllClusters alone. The
	// role ingest needs at least one.
	Clusters []string
	// TokenFile holds the tokens that it may show; the package's description
	// tells how.
	TokenFile string
	// CommonName is that of the subject of the certificates that it may show.
	CommonName string
	// CA is a file with the authorities, in PEM, that issue its certificates.
	// "" stands for Config.ClientCA.
	CA string
}

// Check finds what is wrong with a client by itself. It looks at no file.
func (c *Client) Check() error {
	switch {
	case !plainName(c.Name):
		return fmt.Errorf("the client's name %q is no name: use letters, digits, dots, dashes and underscores, at most %d", cut(c.Name), maxName)
	case len(c.Roles) == 0:
		return fmt.Errorf("client %s has no role: give %s or %s", c.Name, RoleIngest, RoleRead)
	case c.TokenFile == "" && c.CommonName == "":
		return fmt.Errorf("client %s has no credential: give a token file or the common name of its certificate", c.Name)
	case c.CA != "" && c.CommonName == "":
		return fmt.Errorf("client %s has an authority for certificates and no common name", c.Name)
	}
	for _, r := range c.Roles {
		if r != RoleIngest && r != RoleRead {
			return fmt.Errorf("client %s: unknown role %q: want %s or %s", c.Name, cut(string(r)), RoleIngest, RoleRead)
		}
	}
	if slices.Contains(c.Roles, RoleIngest) && len(c.Clusters) == 0 {
		return fmt.Errorf("client %s has the role %s and no cluster: name those whose events it sends, or %q for all", c.Name, RoleIngest, AllClusters)
	}
	if len(c.Clusters) > 1 && slices.Contains(c.Clusters, AllClusters) {
		return fmt.Errorf("client %s: %q stands for all clusters and must be alone", c.Name, AllClusters)
	}
	return nil
}

const maxName = 64

// plainName tells a name that can stand anywhere.
func plainName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

// cut shortens what a message cites.
func cut(s string) string {
	return s[:min(len(s), maxName)]
}

// Identity is the client of a request, as far as others need to know it.
type Identity struct {
	Name     string
	Roles    []Role
	Clusters []string
}

// Has tells whether the client has a role.
func (i Identity) Has(r Role) bool { return slices.Contains(i.Roles, r) }

// MayIngest tells whether the client may send events of a cluster.
func (i Identity) MayIngest(cluster string) bool {
	return i.Has(RoleIngest) && (slices.Contains(i.Clusters, cluster) || slices.Contains(i.Clusters, AllClusters))
}

// The errors of Identify.
var (
	// ErrNoCredential says that the request shows neither a token nor a
	// certificate.
	ErrNoCredential = errors.New("no credential: send a token as Authorization: Bearer, or use a client certificate")
	// ErrUnknown says that no client has the credential.
	ErrUnknown = errors.New("the credential is nobody's")
	// ErrExpired says that the credential was some client's until it ended.
	ErrExpired = errors.New("the credential has expired")
)
