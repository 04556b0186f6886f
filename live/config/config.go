package config

import (
	"log/slog"
	"time"

	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/queue"
	"github.com/whet-k8s/whet/live/retain"
	"github.com/whet-k8s/whet/live/webhook"
	"github.com/whet-k8s/whet/store"
)

// DefaultListen is where a server listens that is not told.
const DefaultListen = "127.0.0.1:8080"

// Config is what a live server is to do.
type Config struct {
	// Data is the folder of the data set. What live mode needs besides lies below
	// it, in the folder store.LiveFolder.
	Data string
	// Listen is the address that the server listens on, and Hosts are the names
	// that browsers call it by besides.
	Listen string
	Hosts  []string
	// Metrics is a further address, for /healthz, /readyz and /metrics alone, of
	// which nobody is asked who they are; "" for none.
	Metrics string
	// TLS are the files of the server's certificate, empty without TLS.
	TLS auth.TLSFiles
	// ClientCA issues the certificates of clients that have no CA of their own.
	ClientCA string
	// Clients may send and read.
	Clients []auth.Client
	// Clusters are those whose events come.
	Clusters []Cluster
	// Queue bounds the queue; its Dir is not used.
	Queue queue.Options
	// Limits bound what is taken over HTTP.
	Limits webhook.Limits
	// Every and Grace are engine.Options.Every and Grace.
	Every, Grace time.Duration
	// Retention bounds what is kept.
	Retention retain.Limits
	// Alerts is a file of rules and sinks, "" for none.
	Alerts string
	// Access is where it is written who read what.
	Access Access
	// Log says how the program logs.
	Log Log
}

// Cluster is one whose events come.
type Cluster struct {
	// Name has letters, digits, dots, dashes and underscores.
	Name string
	// Sources are the ways by which events come, at least one.
	Sources []Source
	// Policy is a file with a noise policy, "" for the built-in one.
	Policy string
	// Keep is store.KeepEvents or store.KeepContexts.
	Keep store.Keep
	// NoRedact keeps the values of Secrets and issued tokens as they are.
	NoRedact bool
	// NoModel has the linker's rules decide alone.
	NoModel bool
	// Ranker is a file with a ranker for it, "" for the built-in one.
	Ranker string
}

// Source is one way by which events come.
type Source struct {
	Kind Kind
	// Path is that of a file or a folder.
	Path string
}

// Kind is a kind of source.
type Kind string

// The kinds of sources.
const (
	Webhook Kind = "webhook" // a POST to /ingest/CLUSTER
	File    Kind = "file"    // a log that is followed through its rotations
	Folder  Kind = "folder"  // all logs of a folder
	Stdin   Kind = "stdin"   // standard input
)

// Access says where it is written who read what.
type Access struct {
	// File is a file of JSON lines; "" stands for access.jsonl in the folder of
	// live mode.
	File string
	// MaxBytes is how large the file may become before a new one is begun, and
	// Files how many are kept. 0 stands for 64 MiB and 8.
	MaxBytes int64
	Files    int
}

// Log says how the program logs.
type Log struct {
	// JSON tells to log an object a line, rather than text.
	JSON bool
	// Level is the least that is logged.
	Level slog.Level
}

// Reads tells whether some client may read.
func (c *Config) Reads() bool {
	for i := range c.Clients {
		for _, r := range c.Clients[i].Roles {
			if r == auth.RoleRead {
				return true
			}
		}
	}
	return false
}
