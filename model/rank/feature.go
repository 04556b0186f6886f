package rank

import (
	"math"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/link"
)

// The features of a candidate. Those from the first to featureCount are one
// number each; the ages come link.Ties to each.
const (
	// Of the request, the same for every candidate.
	fRule = iota
	fVerb
	fResource
	fObject
	fSubresource
	fCode
	fClient
	fControls
	fController
	fOwned
	fGone
	fNamed
	fRefused
	fCandidates
	// Of the candidate.
	fPicked
	fPosition
	fRootAge
	fRootVerb
	fRootObject
	fRootName
	fNearest
	fNearestLead
	fRelated
	fRelatedLead
	fAfterRefusal
	fRelatedAfterRefusal
	fRelatedObject
	fRelatedKind
	fRelatedFrom
	fRelatedTook
	fRelatedName
	fNearObject
	fNearKind
	fNearFrom
	fNearTook
	fNearName
	fAges
	featureCount = fAges + int(link.Ties)
)

// featureNames are the names of the features in their order, as a model file has
// them.
func featureNames() []string {
	names := []string{
		fRule: "rule", fVerb: "verb", fResource: "resource", fObject: "object", fSubresource: "subresource", fCode: "code",
		fClient: "client", fControls: "controls", fController: "controller", fOwned: "owned", fGone: "gone", fNamed: "named",
		fRefused: "refused", fCandidates: "candidates", fPicked: "picked", fPosition: "position", fRootAge: "root age",
		fRootVerb: "root verb", fRootObject: "root object", fRootName: "root name", fNearest: "nearest",
		fNearestLead: "nearest, lead", fRelated: "related", fRelatedLead: "related, lead", fAfterRefusal: "quota after refusal",
		fRelatedAfterRefusal: "related after refusal", fRelatedObject: "related object", fRelatedKind: "related kind",
		fRelatedFrom: "related from", fRelatedTook: "related took", fRelatedName: "related name", fNearObject: "near object",
		fNearKind: "near kind", fNearFrom: "near from", fNearTook: "near took", fNearName: "near name",
	}
	return append(names, "self", "owner", "sibling", "below", "service", "reference", "node", "mount", "namespace", "quota", "maker", "near")
}

// never is the value of a time that is not there, larger than any other.
const never = 100

// vector holds the features of one candidate.
type vector [featureCount]float32

// words are the values that a feature of words knows; any other is 0.
type words []string

func (w words) number(s string) float32 { return float32(slices.Index(w, s) + 1) }

// vocabulary holds the words that features count in. Their order is part of the
// model.
type vocabulary struct{ rules, verbs, resources, subresources words }

func newVocabulary() vocabulary {
	return vocabulary{
		rules: words{
			"event-of-own-action", "pod-bound", "pod-token", "pod-mounts", "kubelet-pod", "quota-recount", "namespace-emptied",
			"namespace-finalized", "service-endpoints", "volume-bound", "status-of-controlled", "cronjob-tick", "made-by-owner",
			"made-unnamed", "scaled-by-target", "evicted", "follows-owner", "remade-in-namespace", "related", "namespace-read",
		},
		verbs: words{"create", "update", "patch", "get", "list", "watch", "delete", "deletecollection"},
		resources: words{
			"pods", "replicasets", "deployments", "statefulsets", "daemonsets", "jobs", "cronjobs", "replicationcontrollers",
			"controllerrevisions", "services", "endpoints", "endpointslices", "persistentvolumeclaims", "persistentvolumes",
			"configmaps", "secrets", "serviceaccounts", "resourcequotas", "namespaces", "nodes", "events",
			"horizontalpodautoscalers", "poddisruptionbudgets",
		},
		subresources: words{"", "status", "binding", "token", "scale", "finalize", "eviction"},
	}
}

// fill writes the features of every candidate of a choice.
func (v *vocabulary) fill(c *link.Choice, out []vector) {
	ev := c.Event
	var shared vector
	shared[fRule] = v.rules.number(c.Rule)
	shared[fVerb] = v.verbs.number(ev.Verb)
	shared[fResource] = v.resources.number(ev.Object.Resource)
	shared[fObject] = v.resources.number(c.Object.Resource)
	shared[fSubresource] = v.subresources.number(ev.Object.Subresource)
	shared[fCode] = code(ev.Status.Code)
	shared[fClient] = client(c)
	shared[fControls], shared[fController] = yes(c.Controls), yes(c.Controller)
	shared[fOwned], shared[fGone], shared[fNamed] = yes(c.Owned), yes(c.Gone), yes(c.Object.Name != "")
	shared[fRefused] = since(c.Refused)
	shared[fCandidates] = float32(len(c.Candidates))
	for i := range c.Candidates {
		out[i] = shared
		v.candidate(c, i, &out[i])
	}
	lead(out, fNearest, fNearestLead)
	lead(out, fRelated, fRelatedLead)
}

// candidate fills in what is the candidate's own.
func (v *vocabulary) candidate(c *link.Choice, i int, f *vector) {
	d := &c.Candidates[i]
	f[fPicked], f[fPosition] = yes(i == c.Picked), float32(i)
	f[fRootAge] = since(d.Age)
	f[fRootVerb], f[fRootObject] = v.verbs.number(d.Root.Verb), v.resources.number(d.Root.Object.Resource)
	f[fRootName] = alike(d.Root.Object.Name, c.Object.Name)
	nearest := int64(link.NoAge)
	for tie, age := range d.Ages {
		f[fAges+tie] = since(age)
		if distance(age) < distance(nearest) {
			nearest = age
		}
	}
	f[fNearest] = since(nearest)
	f[fAfterRefusal] = yes(c.Refused != link.NoAge && d.Ages[link.TieQuota] < c.Refused)
	related := int64(link.NoAge)
	for _, age := range d.Ages[:link.TieNamespace] {
		related = min(related, age)
	}
	f[fRelated] = since(related)
	f[fRelatedAfterRefusal] = yes(c.Refused == link.NoAge || related < c.Refused)
	v.change(&d.Related, c, f[fRelatedObject:])
	v.change(&d.Near, c, f[fNearObject:])
}

// change fills in five features of a change.
func (v *vocabulary) change(ch *link.Change, c *link.Choice, f []float32) {
	if !ch.There {
		f[0], f[1], f[2], f[3], f[4] = -1, -1, -1, never, -1
		return
	}
	f[0], f[1], f[3], f[4] = v.resources.number(ch.Object.Resource), kind(ch), since(ch.Took), alike(ch.Object.Name, c.Object.Name)
	switch {
	case ch.Own:
		f[2] = 1
	case ch.Person:
		f[2] = 2
	default:
		f[2] = 0
	}
}

// lead sets to how much smaller a value is than that of the best other
// candidate: negative for the best one.
func lead(out []vector, from, to int) {
	for i := range out {
		best := float32(never)
		for j := range out {
			if j != i {
				best = min(best, out[j][from])
			}
		}
		out[i][to] = out[i][from] - best
	}
}

func yes(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// since turns microseconds into a number that grows by about 1 for each
// factor of e; what is still under way is negative.
func since(age int64) float32 {
	const unit = 100
	switch {
	case age == link.NoAge:
		return never
	case age < 0:
		return -float32(math.Log1p(float64(-age) / unit))
	}
	return float32(math.Log1p(float64(age) / unit))
}

// distance compares ages: one under way is farther than what it lacks.
func distance(age int64) int64 {
	if age < 0 {
		return -age * 4
	}
	return age
}

func code(status int32) float32 {
	switch {
	case status < 300:
		return 0
	case status == 403:
		return 1
	case status == 404:
		return 2
	case status == 409:
		return 3
	}
	return 4
}

func client(c *link.Choice) float32 {
	switch {
	case c.Kubelet:
		return 0
	case c.ControlPlane:
		return 1
	}
	return 2
}

func kind(c *link.Change) float32 {
	switch {
	case c.Created:
		return 0
	case c.Spec:
		return 1
	case c.Status:
		return 2
	case c.Deleted:
		return 3
	case c.Bound:
		return 4
	}
	return 5
}

// alike says how much of the longer name the shorter one begins, in words
// between dashes: 1 for equal names, 0 where not even the first word is the
// same, -1 where a name is not known.
func alike(a, b string) float32 {
	if a == "" || b == "" {
		return -1
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	n := 0
	for n < len(a) && a[n] == b[n] {
		n++
	}
	if n < len(a) || n < len(b) && b[n] != '-' {
		n = max(strings.LastIndexByte(a[:n], '-'), 0)
	}
	return float32(n) / float32(len(b))
}
