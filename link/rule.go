package link

// look is one place where a rule looks for the cause.
type look struct {
	at    relation
	kinds changeKind
	// own admits the actor's own changes, for reports of what it has done.
	own bool
}

// rule says where the cause of some requests is to be found. The first rule
// that fits a request and finds a change decides; of all the changes its
// looks find, the newest that the actor can have seen is the cause.
type rule struct {
	id string
	// verbs, resources and subresource say which requests the rule fits; no
	// verbs and no resources mean any. The subresource "*" is any.
	verbs       []string
	resources   []string
	subresource string
	// about is the resource of the object in question, of an Event that of
	// the involved object; "" means any.
	about string
	// ownedBy is the resource of one of its owners; "" means any or none.
	ownedBy string
	// unnamed limits the rule to requests that name no object and make none
	// that lasts: lists and reviews.
	unnamed bool
	// classes are the kinds of client it fits; none means all that react.
	classes []class
	looks   []look
	// within bounds how old the cause may be, 0 means any age.
	within micros
	// confidence is how sure a link is where bodies tie the objects together,
	// guessed where only names do; TestCalibration holds both against
	// recordings.
	confidence, guessed float64
}

const second micros = 1_000_000

// rules are tried in order. They speak of what is written on which relation;
// the component's name plays no part.
func rules() []rule {
	write := []string{"create", "update", "patch"}
	node := []class{classNode}
	pods := []string{"pods"}
	mounted := []string{"configmaps", "secrets", "persistentvolumeclaims", "persistentvolumes", "serviceaccounts", "volumeattachments", "csinodes", "resourceclaims"}
	return []rule{
		{id: "cronjob-clock", verbs: []string{"get", "update", "patch", "create"}, resources: []string{"cronjobs", "events"}, subresource: "*", about: "cronjobs", confidence: 0.98, guessed: 0.97,
			looks: []look{{relClock, kindCreated | kindSpec, false}}},
		{id: "event-of-own-action", verbs: write, resources: []string{"events"}, confidence: 0.99, guessed: 0.98,
			looks: []look{{relSelf, kindsAll, true}, {relBelow, kindsNotSeen, true}}},
		{id: "pod-bound", verbs: []string{"create"}, resources: pods, subresource: "binding", confidence: 0.99, guessed: 0.96,
			looks: []look{{relSelf, kindsNotSeen, false}, {relRoom, kindSpec, true}}},
		{id: "pod-token", verbs: []string{"create"}, resources: []string{"serviceaccounts"}, subresource: "token", classes: node, confidence: 0.99, guessed: 0.95,
			looks: []look{{relBoundPod, kindCreated | kindBound | kindSpec, false}}},
		{id: "pod-mounts", verbs: []string{"get", "list", "watch"}, resources: mounted, subresource: "*", classes: node, confidence: 0.97, guessed: 0.97,
			looks: []look{{relMountedBy, kindCreated | kindBound, false}}},
		{id: "kubelet-pod", resources: pods, subresource: "*", classes: node, confidence: 0.99, guessed: 0.96,
			looks: []look{{relSelf, kindsAll, false}}},
		{id: "admission", verbs: []string{"create", "get", "list"}, classes: []class{classControlPlane}, confidence: 0.98, guessed: 0.95,
			looks: []look{{relNested, kindsAll, false}}},
		{id: "quota-usage", verbs: []string{"update", "patch"}, resources: []string{"resourcequotas"}, subresource: "status", classes: []class{classControlPlane}, confidence: 0.98, guessed: 0.95,
			looks: []look{{relNested, kindsAll, false}}},
		{id: "quota-recount", verbs: []string{"update", "patch"}, resources: []string{"resourcequotas"}, subresource: "status", classes: []class{classControlPlane}, confidence: 0.9, guessed: 0.85,
			looks: []look{{relSelf, kindsNotSeen, false}, {relNeighbours, kindCreated | kindsGone, true}}},
		{id: "namespace-emptied", verbs: []string{"deletecollection", "list"}, classes: []class{classControlPlane}, subresource: "*", confidence: 0.99, guessed: 0.96,
			looks: []look{{relNamespace, kindsGone, false}}},
		{id: "namespace-finalized", resources: []string{"namespaces"}, subresource: "*", confidence: 0.99, guessed: 0.96,
			looks: []look{{relSelf, kindCreated | kindDeleted | kindSpec, false}}},
		{id: "service-endpoints", resources: []string{"endpoints", "endpointslices"}, subresource: "*", confidence: 0.98, guessed: 0.97,
			looks: []look{{relSelf, kindsNotSeen, false}, {relService, kindsAll, false}}},
		{id: "volume-bound", verbs: []string{"get", "update", "patch"}, resources: []string{"persistentvolumes", "persistentvolumeclaims"}, subresource: "*", confidence: 0.95, guessed: 0.75,
			looks: []look{{relSelf, kindsNotSeen, false}, {relTarget, kindsNotSeen, false}, {relUsers, kindsNotSeen, false}}},
		{id: "status-of-controlled", verbs: []string{"update", "patch"}, subresource: "status", confidence: 0.98, guessed: 0.98,
			looks: []look{{relSelf, kindsAll, false}, {relBelow, kindsAll, false}, {relTarget, kindsAll, false}, {relNode, kindSpec, true}}},
		{id: "cronjob-tick", verbs: []string{"create"}, resources: []string{"jobs"}, ownedBy: "cronjobs", confidence: 0.95, guessed: 0.92,
			looks: []look{{relClock, kindCreated | kindSpec, false}}},
		{id: "made-by-owner", verbs: []string{"create"}, confidence: 0.99, guessed: 0.96,
			looks: []look{{relOwner, kindsNotSeen, false}, {relSiblings, kindsGone, false}, {relBarrier, kindsNotSeen, false}, {relRoom, kindSpec, true}}},
		{id: "operator-watched", verbs: []string{"create"}, classes: []class{classOperator}, within: 5 * second, confidence: 0.8, guessed: 0.78,
			looks: []look{{relWatched, kindsNotSeen, false}}},
		{id: "made-unnamed", verbs: []string{"create"}, confidence: 0.8, guessed: 0.9,
			looks: []look{{relMakers, kindsNotSeen, false}}},
		{id: "scaled-by-target", resources: nil, subresource: "scale", confidence: 0.95, guessed: 0.92,
			looks: []look{{relTarget, kindsMade, false}}},
		{id: "evicted", verbs: []string{"delete"}, resources: pods, classes: []class{classControlPlane}, confidence: 0.98, guessed: 0.95,
			looks: []look{{relSelf, kindsNotSeen, false}, {relOwner, kindsNotSeen, false}, {relNode, kindSpec, true}}},
		{id: "follows-owner", verbs: []string{"get", "delete", "patch", "update"}, confidence: 0.98, guessed: 0.95,
			looks: []look{{relSelf, kindsNotSeen, false}, {relOwner, kindsNotSeen, false}, {relNode, kindSpec, true}}},
		{id: "remade-in-namespace", verbs: []string{"create"}, confidence: 0.95, guessed: 0.92,
			looks: []look{{relSelf, kindsGone, false}, {relNamespace, kindCreated | kindDeleted, false}}},
		{id: "related", confidence: 0.9, guessed: 0.87, subresource: "*",
			looks: []look{{relSelf, kindsAll, false}, {relOwner, kindsAll, false}, {relBelow, kindsAll, false}, {relTarget, kindsAll, false}, {relUsers, kindsNotSeen, false}, {relNamesake, kindsAll, false}}},
		{id: "same-train", verbs: []string{"get", "list", "create"}, resources: nil, unnamed: true, classes: []class{classControlPlane}, within: 0, confidence: 0.9, guessed: 0.87,
			looks: []look{{relTrain, kindsAll, true}}},
		{id: "namespace-read", verbs: []string{"list", "create"}, unnamed: true, classes: []class{classControlPlane}, within: second / 2, confidence: 0.7, guessed: 0.68,
			looks: []look{{relNeighbours, kindsAll, true}}},
		{id: "resource-defined", verbs: []string{"list", "watch"}, classes: []class{classControlPlane}, within: 60 * second, confidence: 0.9, guessed: 0.87,
			looks: []look{{relDefinition, kindsNotSeen, false}}},
	}
}
