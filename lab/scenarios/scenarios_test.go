package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/lab/internal/record"
	"github.com/whet-k8s/whet/lab/internal/scenario"
)

func TestOwnScenariosAreSound(t *testing.T) {
	list, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 40 {
		t.Errorf("only %d scenarios; the lab promises 40 chains and more", len(list))
	}
	for _, s := range list {
		if s.About == "" {
			t.Errorf("%s does not say what it is about", s.Name)
		}
	}
}

func TestOwnPlansLoad(t *testing.T) {
	for _, name := range Plans() {
		r, err := OpenPlan(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := record.LoadPlan(name, r); err != nil {
			t.Error(err)
		}
		r.Close()
	}
}

func TestChoose(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.yaml")
	if err := os.WriteFile(file, []byte("scenarios:\n- name: mine\n  steps: [{run: kubectl get pods}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"pod-life", file}, {"pod-life", dir}} {
		list, err := Choose(args)
		if err != nil || len(list) != 2 || list[0].Name != "mine" || list[1].Name != "pod-life" {
			t.Errorf("Choose(%q) = %v, %v", args, list, err)
		}
	}
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"no-such"}, "none of the lab's scenarios: "},
		{[]string{t.TempDir()}, "no .yaml file"},
		{[]string{file, file}, "two scenarios are called mine"},
	}
	for _, tt := range tests {
		if _, err := Choose(tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Choose(%q) says %v; want %q", tt.args, err, tt.want)
		}
	}
}

func TestOpenPlanThatIsNotThere(t *testing.T) {
	if _, err := OpenPlan("no-such"); err == nil || !strings.Contains(err.Error(), "short") {
		t.Errorf("got %v; want the names of the plans", err)
	}
}

// The cards say what a scenario is about; its steps must hold to it.
func TestScenariosDoWhatTheySay(t *testing.T) {
	list, err := All()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]scenario.Scenario{}
	for _, s := range list {
		byName[s.Name] = s
	}
	tests := []struct {
		scenario, step string
		fails          bool
	}{
		{"deployment-with-budget", "/eviction", true},
		{"deployment-with-budget", "/eviction", false},
		{"statefulset-with-budget", "/eviction", true},
		{"statefulset-with-budget", "/eviction", false},
		{"node-cordon-drain", "kind: DaemonSet", false},
		{"node-cordon-drain", "--ignore-daemonsets", false},
		{"pod-bad-image", "set image pod/", false},
		{"secret-env", "patch secret", false},
		{"webhooks-fail-open", "kind: MutatingWebhookConfiguration", false},
		{"attack", "api-resources", false},
		{"custom-resource", "{{name3}}s.example.org", false},
	}
	for _, tt := range tests {
		found := false
		for _, s := range byName[tt.scenario].Steps {
			text := s.Run + "\n" + s.Stdin
			if s.Call != nil {
				text = s.Call.Path
			}
			found = found || strings.Contains(text, tt.step) && s.Fails == tt.fails
		}
		if !found {
			t.Errorf("%s has no step with %s that fails: %v", tt.scenario, tt.step, tt.fails)
		}
	}
}
