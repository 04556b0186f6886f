package config_test

import (
	"fmt"

	"github.com/whet-k8s/whet/live/config"
)

// A mistake is told with its place.
func ExampleParse() {
	_, err := config.Parse("whet.yaml", []byte(`apiVersion: whet/v1
kind: ServeConfig
data: /var/lib/whet
clusters:
- name: prod
  sources:
  - fiel: /var/log/kubernetes/audit.log
`))
	fmt.Println(err)
	// Output: whet.yaml:7: "clusters[0].sources[0].fiel": unknown field (is file meant?); known here: webhook, file, folder, stdin
}
