// Lab records real Kubernetes audit logs together with their truth: which
// command caused which line.
//
//	lab up                        a cluster to play with, and its audit log
//	lab record SCENARIOS --out DIR  plays scenarios and records
//	lab replicate PREFIX --out DIR a large log from a recording
//	lab truth FOLDER --out DIR    a recording again, under another policy
//	lab check PREFIX...           proves recordings sound
//	lab policy NAME               prints an audit policy
//
// See docs/lab.md.
package main

import (
	"fmt"
	"os"

	"github.com/whet-k8s/whet/lab/internal/cli"
	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/parts"
)

func main() {
	if name := os.Getenv(cluster.PartVariable); name != "" {
		os.Unsetenv(cluster.PartVariable)
		code, err := parts.Run(name, os.Args[1:])
		if err != nil {
			fmt.Fprintln(os.Stderr, "lab:", err)
		}
		os.Exit(code)
	}
	if err := cli.New(parts.KubernetesVersion()).Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}
