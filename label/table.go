package label

import "strings"

// The ids that stand for any custom resource.
const (
	customID           = 666
	customNamespacedID = 667
)

// firstNewID is the lowest id of a resource that the published table lacks.
const firstNewID = 500

// verbSet is a set of verb ids, a bit each.
type verbSet uint8

const (
	onlyCreate verbSet = 1 << verbCreate
	onlyDelete verbSet = 1 << verbDelete
	onlyGet    verbSet = 1 << verbGet
	onlyPatch  verbSet = 1 << verbPatch
	onlyWatch  verbSet = 1 << verbWatch

	allVerbs   = onlyCreate | onlyDelete | onlyGet | onlyPatch | onlyWatch
	readWrite  = onlyGet | onlyPatch
	connect    = onlyCreate | onlyGet
	proxyVerbs = onlyCreate | onlyDelete | onlyGet | onlyPatch
)

func (s verbSet) has(verb verbID) bool { return s&(1<<verb) != 0 }

// subresource is a row of a resource's subresources.
type subresource struct {
	name  string
	id    int
	verbs verbSet
}

// resource is a row of the table of resources.
type resource struct {
	group, version, name string
	id                   int
	namespaced           bool
	verbs                verbSet
	subresources         []subresource
}

// isNew tells a resource of whet's own table from a published one.
func (r *resource) isNew() bool { return r.id >= firstNewID && r.id < customID }

// isCustom tells whether the row stands for any custom resource.
func (r *resource) isCustom() bool { return r.id == customID || r.id == customNamespacedID }

func (r *resource) bySubresource(name string) (subresource, bool) {
	if name == "" {
		return subresource{verbs: r.verbs}, true
	}
	for _, s := range r.subresources {
		if s.name == name {
			return s, true
		}
	}
	return subresource{}, false
}

func (r *resource) bySubresourceID(id int) (subresource, bool) {
	if id == 0 {
		return subresource{verbs: r.verbs}, true
	}
	for _, s := range r.subresources {
		if s.id == id {
			return s, true
		}
	}
	return subresource{}, false
}

// coreGroup is how the published table writes the group that the API leaves
// empty.
const coreGroup = "core"

// The scopes of a row.
const (
	cluster    = false
	namespaced = true
)

func status() subresource { return subresource{"status", 1, readWrite} }
func scale() subresource  { return subresource{"scale", 2, readWrite} }
func proxy() subresource  { return subresource{"proxy", 8, proxyVerbs} }

// row makes a resource with all verbs; groupVersion is "group/version".
func row(groupVersion, name string, id int, namespaced bool, subresources ...subresource) resource {
	group, version, _ := strings.Cut(groupVersion, "/")
	return resource{
		group: group, version: version, name: name, id: id, namespaced: namespaced,
		verbs: allVerbs, subresources: subresources,
	}
}

// review makes a resource that can only be created or only be read.
func review(groupVersion, name string, id int, namespaced bool, verbs verbSet) resource {
	r := row(groupVersion, name, id, namespaced)
	r.verbs = verbs
	return r
}

// publishedResources is the published table, in its order.
func publishedResources() []resource {
	return []resource{
		row("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", 41, cluster),
		row("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", 42, cluster),
		row("apiextensions.k8s.io/v1", "customresourcedefinitions", 801, cluster, status()),
		row("apiregistration.k8s.io/v1", "apiservices", 800, cluster, status()),
		row("apps/v1", "controllerrevisions", 39, namespaced),
		row("apps/v1", "daemonsets", 44, namespaced, status()),
		row("apps/v1", "deployments", 16, namespaced, scale(), status()),
		row("apps/v1", "replicasets", 17, namespaced, scale(), status()),
		row("apps/v1", "statefulsets", 18, namespaced, scale(), status()),
		review("authentication.k8s.io/v1", "selfsubjectreviews", 12, cluster, onlyCreate),
		review("authentication.k8s.io/v1", "tokenreviews", 806, cluster, onlyCreate),
		review("authorization.k8s.io/v1", "localsubjectaccessreviews", 27, namespaced, onlyCreate),
		review("authorization.k8s.io/v1", "selfsubjectaccessreviews", 13, cluster, onlyCreate),
		review("authorization.k8s.io/v1", "selfsubjectrulesreviews", 14, cluster, onlyCreate),
		review("authorization.k8s.io/v1", "subjectaccessreviews", 28, cluster, onlyCreate),
		row("autoscaling/v2", "horizontalpodautoscalers", 803, namespaced, status()),
		row("batch/v1", "cronjobs", 19, namespaced, status()),
		row("batch/v1", "jobs", 20, namespaced, status()),
		row("certificates.k8s.io/v1", "certificatesigningrequests", 9, cluster,
			subresource{"approval", 2, readWrite}, status()),
		row("coordination.k8s.io/v1", "leases", 29, namespaced),
		review("core/v1", "bindings", 900, namespaced, onlyCreate),
		review("core/v1", "componentstatuses", 901, cluster, onlyGet),
		row("core/v1", "configmaps", 3, namespaced),
		row("core/v1", "endpoints", 902, namespaced),
		row("core/v1", "events", 40, namespaced),
		row("core/v1", "limitranges", 33, namespaced),
		row("core/v1", "namespaces", 10, cluster,
			subresource{"finalize", 2, onlyPatch}, status()),
		row("core/v1", "nodes", 15, cluster, proxy(), status()),
		row("core/v1", "persistentvolumeclaims", 21, namespaced, status()),
		row("core/v1", "persistentvolumes", 22, cluster, status()),
		row("core/v1", "pods", 1, namespaced,
			subresource{"attach", 2, connect},
			subresource{"binding", 3, onlyCreate},
			subresource{"ephemeralcontainers", 7, readWrite},
			subresource{"eviction", 9, onlyCreate},
			subresource{"exec", 4, connect},
			subresource{"log", 5, onlyGet},
			subresource{"portforward", 6, connect},
			proxy(), status()),
		row("core/v1", "podtemplates", 35, namespaced),
		row("core/v1", "replicationcontrollers", 904, namespaced, scale(), status()),
		row("core/v1", "resourcequotas", 11, namespaced, status()),
		row("core/v1", "secrets", 2, namespaced),
		row("core/v1", "serviceaccounts", 4, namespaced, subresource{"token", 2, onlyCreate}),
		row("core/v1", "services", 26, namespaced, proxy(), status()),
		row("discovery.k8s.io/v1", "endpointslices", 23, namespaced),
		row("events.k8s.io/v1", "events", 903, namespaced),
		row("flowcontrol.apiserver.k8s.io/v1beta3", "flowschemas", 802, cluster, status()),
		row("flowcontrol.apiserver.k8s.io/v1beta3", "prioritylevelconfigurations", 805, cluster, status()),
		row("networking.k8s.io/v1", "ingressclasses", 24, cluster),
		row("networking.k8s.io/v1", "ingresses", 25, namespaced, status()),
		row("networking.k8s.io/v1", "networkpolicies", 34, namespaced),
		row("node.k8s.io/v1", "runtimeclasses", 43, cluster),
		row("policy/v1", "poddisruptionbudgets", 804, namespaced, status()),
		row("rbac.authorization.k8s.io/v1", "clusterrolebindings", 8, cluster),
		row("rbac.authorization.k8s.io/v1", "clusterroles", 7, cluster),
		row("rbac.authorization.k8s.io/v1", "rolebindings", 6, namespaced),
		row("rbac.authorization.k8s.io/v1", "roles", 5, namespaced),
		row("scheduling.k8s.io/v1", "priorityclasses", 36, cluster),
		row("storage.k8s.io/v1", "csidrivers", 30, cluster),
		row("storage.k8s.io/v1", "csinodes", 31, cluster),
		row("storage.k8s.io/v1", "csistoragecapacities", 32, namespaced),
		row("storage.k8s.io/v1", "storageclasses", 37, cluster),
		row("storage.k8s.io/v1", "volumeattachments", 38, cluster, status()),
		row("unknown.1company-name.com/noversion", "externalcrd", customID, cluster),
		row("unknown.1company-name.com/noversion", "externalcrd", customNamespacedID, namespaced),
	}
}

// newResources are the resources Kubernetes serves (k8s.io/api up to v0.37, and
// the removed ones of releases since 1.22) that the published table lacks. The
// ids are stable: append, never renumber, never reuse.
func newResources() []resource {
	return []resource{
		row("networking.k8s.io/v1", "ipaddresses", 500, cluster),
		row("networking.k8s.io/v1", "servicecidrs", 501, cluster, status()),
		row("resource.k8s.io/v1", "resourceclaims", 502, namespaced, status()),
		row("resource.k8s.io/v1", "resourceclaimtemplates", 503, namespaced),
		row("resource.k8s.io/v1", "resourceslices", 504, cluster),
		row("resource.k8s.io/v1", "deviceclasses", 505, cluster),
		row("resource.k8s.io/v1", "devicetaintrules", 506, cluster, status()),
		row("admissionregistration.k8s.io/v1", "validatingadmissionpolicies", 507, cluster, status()),
		row("admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", 508, cluster),
		row("admissionregistration.k8s.io/v1", "mutatingadmissionpolicies", 509, cluster),
		row("admissionregistration.k8s.io/v1", "mutatingadmissionpolicybindings", 510, cluster),
		row("certificates.k8s.io/v1beta1", "clustertrustbundles", 511, cluster),
		row("certificates.k8s.io/v1beta1", "podcertificaterequests", 512, namespaced, status()),
		row("storage.k8s.io/v1", "volumeattributesclasses", 513, cluster),
		row("coordination.k8s.io/v1beta1", "leasecandidates", 514, namespaced),
		row("storagemigration.k8s.io/v1", "storageversionmigrations", 515, cluster, status()),
		row("internal.apiserver.k8s.io/v1alpha1", "storageversions", 516, cluster, status()),
		row("resource.k8s.io/v1alpha3", "podschedulingcontexts", 517, namespaced, status()),
		row("scheduling.k8s.io/v1beta1", "workloads", 518, namespaced),
		row("scheduling.k8s.io/v1beta1", "podgroups", 519, namespaced, status()),
		row("resource.k8s.io/v1alpha3", "resourcepoolstatusrequests", 520, cluster, status()),
		row("networking.k8s.io/v1alpha1", "clustercidrs", 521, cluster),
		row("policy/v1beta1", "podsecuritypolicies", 522, cluster),
		row("resource.k8s.io/v1alpha2", "resourceclasses", 523, cluster),
		row("resource.k8s.io/v1alpha2", "resourceclassparameters", 524, namespaced),
		row("resource.k8s.io/v1alpha2", "resourceclaimparameters", 525, namespaced),
		row("lifecycle.k8s.io/v1alpha1", "evictionrequests", 526, namespaced, status()),
		row("lifecycle.k8s.io/v1alpha1", "evictions", 527, namespaced, status()),
	}
}

// newSubresources are subresources that resources of the published table have
// gained since, by group and plural name. Their ids do not collide with a
// published one of the same resource, and are as stable.
func newSubresources() map[groupResource][]subresource {
	return map[groupResource][]subresource{
		{coreGroup, "pods"}: {{"resize", 10, readWrite}},
	}
}

// groupResource is what a resource is found by.
type groupResource struct{ group, resource string }
