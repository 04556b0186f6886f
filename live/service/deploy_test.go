package service

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/whet-k8s/whet/live/config"
)

// TestDashboard wants every metric that the dashboard asks for to be there.
func TestDashboard(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", "whet.json"))
	if err != nil {
		t.Fatal(err)
	}
	there := describe()
	asked := regexp.MustCompile(`\bwhet_([a-z_]+)`).FindAllSubmatch(data, -1)
	if len(asked) < 15 {
		t.Errorf("the dashboard asks for %d metrics alone", len(asked))
	}
	for _, m := range asked {
		if _, ok := there[string(m[1])]; !ok {
			t.Errorf("the dashboard asks for %s, which is not there", m[0])
		}
	}
}

// TestDeployedConfigurations reads the configurations that are shipped.
func TestDeployedConfigurations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "deploy", "kustomize", "*", "whet.yaml"))
	if err != nil || len(files) != 2 {
		t.Fatalf("there are %d configurations (%v)", len(files), err)
	}
	files = append(files, filepath.Join("..", "..", "deploy", "systemd", "whet.yaml"))
	for _, f := range files {
		if _, err := config.Read(f); err != nil {
			t.Error(err)
		}
	}
}
