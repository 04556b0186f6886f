package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// nameVariables stand for the chain's tokens, by which lines are told.
var nameVariables = []string{"name", "name2", "name3", "Name", "Name3", printed}

// clusterKinds are the kinds, in lower case, whose objects belong to no namespace.
var clusterKinds = []string{
	"certificatesigningrequest", "clusterrole", "clusterrolebinding", "customresourcedefinition", "ingressclass",
	"mutatingwebhookconfiguration", "namespace", "persistentvolume", "priorityclass", "runtimeclass", "storageclass",
	"validatingadmissionpolicy", "validatingadmissionpolicybinding", "validatingwebhookconfiguration",
}

// checkNames fails for a step that gives an object a name that comes from no
// variable, or an object of the cluster one that is only drawn to differ in a
// namespace: the truth would not know whose it is, or two would get one name.
func (s *Step) checkNames(scope Scope) error {
	if s.Run != "" {
		if err := s.checkCommand(scope); err != nil {
			return err
		}
	}
	values := map[string]string{}
	for _, v := range Variables() {
		values[v] = marked(v)
	}
	plain := s.Expand(values)
	bodies := plain.Stdin
	if s.Call != nil && s.Call.Method == "POST" {
		bodies = plain.Call.Body
	}
	dec := yaml.NewDecoder(strings.NewReader(bodies))
	for {
		var object struct {
			Kind     string
			Metadata struct {
				Name         string
				GenerateName string `yaml:"generateName"`
			}
		}
		// What is no object, or no YAML, names none.
		if err := dec.Decode(&object); err != nil {
			return nil //nolint:nilerr // It ends, or kubectl will say what is wrong.
		}
		name := object.Metadata.Name + object.Metadata.GenerateName
		if err := checkName(object.Kind, name, scope); err != nil {
			return err
		}
	}
}

// marked is what stands for a variable while names are checked.
func marked(variable string) string { return "variable-" + variable + "-" }

func checkName(kind, name string, scope Scope) error {
	if name == "" {
		return nil
	}
	if !slices.ContainsFunc(nameVariables, func(v string) bool { return strings.Contains(name, marked(v)) }) {
		return fmt.Errorf("the name %s of a %s comes from no variable; take {{name}}, {{name2}} or {{name3}}", name, kind)
	}
	if slices.Contains(clusterKinds, strings.ToLower(kind)) && !inCluster(scope) && !strings.Contains(name, marked("name3")) {
		return fmt.Errorf("a %s belongs to no namespace, so its name must come from {{name3}}", kind)
	}
	return nil
}

// inCluster says whether all names of a scenario differ in the whole cluster.
func inCluster(scope Scope) bool { return scope == Cluster || scope == Alone }

// checkCommand looks at command lines that make objects.
func (s *Step) checkCommand(scope Scope) error {
	words, err := Split(s.Run)
	if err != nil {
		return err
	}
	at := 1
	for at < len(words) && strings.HasPrefix(words[at], "-") {
		if words[at] == "-n" {
			at++
		}
		at++
	}
	if at >= len(words) || s.Stdin != "" || !slices.Contains([]string{"run", "create", "expose", "autoscale"}, words[at]) {
		return nil
	}
	used := s.Variables()
	if !slices.ContainsFunc(nameVariables, func(v string) bool { return slices.Contains(used, v) }) {
		return errors.New("the name of what the command makes comes from no variable; take {{name}}, {{name2}} or {{name3}}")
	}
	if at+1 < len(words) && slices.Contains(clusterKinds, words[at+1]) && !inCluster(scope) && !slices.Contains(used, "name3") {
		return fmt.Errorf("a %s belongs to no namespace, so its name must come from {{name3}}", words[at+1])
	}
	return nil
}
