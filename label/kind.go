package label

import (
	"slices"
	"strings"
)

// Kind gives the singular of a resource's plural name in lower case, as kubectl
// prints it: "pod" for "pods", "networkpolicy" for "networkpolicies". It knows
// the API's naming rule, not the cluster's custom kinds, so that the word for a
// resource is the same at every audit level.
func Kind(resource string) string {
	resource = strings.ToLower(resource)
	switch {
	case resource == "endpoints", strings.HasSuffix(resource, "metrics"):
		return resource
	case strings.HasSuffix(resource, "ies") && len(resource) > len("ies")+1:
		return strings.TrimSuffix(resource, "ies") + "y"
	case strings.HasSuffix(resource, "sses"), strings.HasSuffix(resource, "xes"),
		strings.HasSuffix(resource, "ches"), strings.HasSuffix(resource, "shes"),
		strings.HasSuffix(resource, "statuses"):
		return strings.TrimSuffix(resource, "es")
	case strings.HasSuffix(resource, "ss"):
		return resource
	}
	return strings.TrimSuffix(resource, "s")
}

// GroupOf gives the group in which the tables have a resource, the core group
// first and then in the order of the tables, for people who name no group. It is
// false for a resource that no table has.
func (c *Codec) GroupOf(resource string) (string, bool) {
	if _, ok := c.byName[groupResource{coreGroup, resource}]; ok {
		return coreGroup, true
	}
	for _, r := range slices.Concat(c.published, newResources()) {
		if r.name == resource && !r.isCustom() {
			return r.group, true
		}
	}
	return "", false
}

// resourceOfKind gives the group and plural name of a kind that the tables
// know. The apiVersion may be empty, as in some Events; then the kind alone
// decides, and the published table goes first.
func (c *Codec) resourceOfKind(apiVersion, kind string) (groupResource, bool) {
	if kind == "" {
		return groupResource{}, false
	}
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		group = coreGroup
	}
	for _, r := range slices.Concat(c.published, newResources()) {
		if (apiVersion == "" || r.group == group) && !r.isCustom() && strings.EqualFold(Kind(r.name), kind) {
			return groupResource{r.group, r.name}, true
		}
	}
	return groupResource{}, false
}
