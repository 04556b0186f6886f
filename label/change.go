package label

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/audit"
)

// maxDetails bounds how long an event may be for its request body to be read a
// second time for a sentence.
const maxDetails = 1 << 20

// restartedAt is the annotation of a pod template that kubectl rollout restart
// sets (k8s.io/kubectl, pkg/polymorphichelpers/objectrestarter.go).
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// patch words a PATCH by the most telling thing it changes.
func (s *sentence) patch() string {
	object := s.object()
	if s.isServerSideApply() {
		return "apply " + object
	}
	change := s.change(object)
	if s.manager != "kubectl-client-side-apply" {
		return change
	}
	if rest, found := strings.CutPrefix(change, "change "+object); found {
		return "apply " + object + rest
	}
	return change + " by apply"
}

// isServerSideApply tells an apply patch: its body is a whole object, and only
// an apply patch may have the force parameter.
func (s *sentence) isServerSideApply() bool {
	return s.force || s.ev.Request != nil && s.ev.Request.Kind != "" && s.ev.Request.APIVersion != ""
}

// change words what a patch that is no server-side apply changes.
func (s *sentence) change(object string) string {
	body := s.ev.Request
	if body == nil {
		return s.changeByManager(object)
	}
	switch {
	case body.Replicas != nil && onlyTouches(body, "spec.replicas"):
		return fmt.Sprintf("scale %s to %d", object, *body.Replicas)
	case onlyTouches(body, "spec.paused"):
		return word(isTrue(body.Paused), "pause", "resume") + " rollout of " + object
	case onlyTouches(body, "spec.suspend"):
		return word(isTrue(body.Suspend), "suspend", "resume") + " " + object
	case isRollback(body):
		return "roll back " + object
	case len(body.Images) > 0:
		return "set image of " + object + " to " + quoteAll(body.Images)
	}
	details := detailsOf(s.ev)
	if words := details.templateChange(object); words != "" {
		return words
	}
	node := s.ev.Object.Resource == "nodes"
	switch {
	case node && touches(body, "spec.unschedulable") && details.Spec.Unschedulable != nil:
		return word(string(details.Spec.Unschedulable) == "true", "cordon", "uncordon") + " " + object
	case node && touches(body, "spec.taints"):
		return "taint " + object
	case onlyTouches(body, "metadata.labels"):
		return "label " + object + keys(body.Labels)
	case onlyTouches(body, "metadata.annotations"):
		return "annotate " + object + keys(body.Annotations)
	}
	return "change " + object + paths(body)
}

// changeByManager words a patch whose body the audit level left out, by the
// name with which kubectl manages fields
// (k8s.io/kubectl, pkg/cmd/*: the fieldManager of each command).
func (s *sentence) changeByManager(object string) string {
	switch s.manager {
	case "kubectl-label":
		return "label " + object
	case "kubectl-annotate":
		return "annotate " + object
	case "kubectl-taint":
		return "taint " + object
	case "kubectl-edit":
		return "edit " + object
	case "kubectl-rollout":
		return "change rollout of " + object
	}
	return "change " + object
}

// paths lists what a patch touches. What every kubectl apply touches is left
// out where there is something else.
func paths(body *audit.Body) string {
	all := pathsOf(body)
	told := slices.DeleteFunc(slices.Clone(all), func(path string) bool { return path == "metadata.annotations" })
	if len(told) == 0 {
		told = all
	}
	if len(told) == 0 {
		return ""
	}
	return " (" + quoteAll(told) + ")"
}

// pathsOf gives the paths that a patch touches in one notation, with dots.
func pathsOf(body *audit.Body) []string {
	if body.Patch != "json" {
		return body.PatchPaths
	}
	var paths []string
	for _, path := range body.PatchPaths {
		paths = append(paths, strings.ReplaceAll(strings.Trim(path, "/"), "/", "."))
	}
	return paths
}

// touches tells whether a patch sets path, or something below it.
func touches(body *audit.Body, path string) bool {
	return slices.ContainsFunc(pathsOf(body), func(p string) bool { return p == path || strings.HasPrefix(p, path+".") })
}

// onlyTouches tells whether all that a patch sets is path, or below or above it.
func onlyTouches(body *audit.Body, path string) bool {
	return touches(body, path) && !slices.ContainsFunc(pathsOf(body), func(p string) bool {
		return p != path && !strings.HasPrefix(p, path+".") && !strings.HasPrefix(path, p+".")
	})
}

// isRollback tells the patch of kubectl rollout undo: a JSON patch that
// replaces a workload's pod template and its annotations
// (k8s.io/kubectl, pkg/polymorphichelpers/rollback.go).
func isRollback(body *audit.Body) bool {
	return body.Patch == "json" && touches(body, "spec.template") && touches(body, "metadata.annotations") && len(body.PatchPaths) == 2
}

// keys lists the keys of labels or annotations. Values are left out: they may
// hold anything.
func keys(entries map[string]string) string {
	if len(entries) == 0 {
		return ""
	}
	return " (" + quoteAll(slices.Sorted(maps.Keys(entries))) + ")"
}

// isTrue tells whether a patch sets a switch; null, which takes it away, does not.
func isTrue(value *bool) bool { return value != nil && *value }

func word(yes bool, ifYes, ifNo string) string {
	if yes {
		return ifYes
	}
	return ifNo
}

// details are the parts of a request body that only sentences use, so that the
// decoder of every event need not read them.
type details struct {
	Spec struct {
		// Unschedulable is null in the patch of kubectl uncordon.
		Unschedulable json.RawMessage
		Template      struct {
			Metadata struct{ Annotations map[string]json.RawMessage }
			Spec     struct{ Containers []container }
		}
		User                  string
		ResourceAttributes    *struct{ Verb, Resource, Subresource, Namespace, Name string }
		NonResourceAttributes *struct{ Verb, Path string }
	}
	Status struct {
		Conditions []struct{ Type string }
	}
}

// container is what kubectl set changes of a container, but for its image.
type container struct {
	Env       []struct{ Name string }
	Resources map[string]json.RawMessage
}

// templateChange words a change of a workload's pod template, "" where it is
// none that has a word.
func (d *details) templateChange(object string) string {
	template := &d.Spec.Template
	if _, restart := template.Metadata.Annotations[restartedAt]; restart {
		return "restart " + object
	}
	var env []string
	resources := false
	for _, c := range template.Spec.Containers {
		for _, variable := range c.Env {
			env = append(env, variable.Name)
		}
		resources = resources || len(c.Resources) > 0
	}
	switch {
	case len(env) > 0:
		return "set env of " + object + " (" + quoteAll(env) + ")"
	case resources:
		return "set resources of " + object
	}
	return ""
}

// detailsOf reads the details from the event's own JSON. A body that is missing,
// too long or of another shape has none: a sentence then says less.
func detailsOf(ev *audit.Event) details {
	if len(ev.Raw) == 0 || len(ev.Raw) > maxDetails {
		return details{}
	}
	var event struct{ RequestObject details }
	if err := json.Unmarshal(ev.Raw, &event); err != nil {
		return details{}
	}
	return event.RequestObject
}
