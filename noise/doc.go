// Package noise decides which events of an audit log nobody wants to read.
//
// Most of a log is written by the cluster for itself: leases renewed every two
// seconds, watches renewed every few minutes, clients that look up which
// resources there are. A [Policy] is a list of rules that tell such events by
// who sent them, what they ask for and how it ended. The first rule that
// matches an event decides:
//
//   - drop: content nobody wants. The linker never sees the event.
//   - setAside: background by rule. The linker sees the event, and it stays
//     background unless something that happened caused it.
//   - keep: the event stays, and later rules are not tried.
//
// An event that no rule matches is kept. Above the rules stand protections
// ([Protect]): refused requests, reads of secrets and impersonation are kept
// whatever a rule says, because that is where an intruder shows, and a rule
// that is a little too wide must not hide him. A policy that wants them hidden
// says so in its protect block.
//
// [Default] is the policy for a cluster that nobody has described yet. It
// holds the rules of the seed's Notes under their numbers and what clusters
// do besides. [Parse] reads one's own, in YAML:
//
//	apiVersion: whet/v1
//	kind: NoisePolicy
//	extends: default          # the default rules follow one's own
//	disable: ["8", leases]    # but these
//	protect:
//	  secretReads: false      # said in so many words
//	rules:
//	  - id: backup
//	    reason: The backup job lists everything every night.
//	    decision: drop
//	    match:
//	      verbs: [get, list]
//	      users: ["system:serviceaccount:backup:*"]
//	    unless:
//	      resources: [secrets]
//
// A match block has to fit in every field that it names, and in a field one
// entry of the list has to fit; an unless block that fits in the same way
// takes the event out of the rule again. The fields are verbs, users, groups
// (one of the user's groups), userAgents, resources, subresources,
// namespaces, names, uris, stages, codes and levels, compared with the event's
// fields of those names. User is who sent the request, not whom it
// impersonates.
//
// A pattern is a plain value; a glob, in which * stands for any run of
// characters; or, between slashes, a regular expression
// (https://pkg.go.dev/regexp/syntax) that has to match the whole value.
// $none fits a value that is not there (the namespace of a cluster-wide
// request, the resource of one for a non-resource endpoint), and nothing else
// does. In names, $user.node fits the name of the node whose kubelet sent the
// request. A resource is written as kubectl prints it: pods (of the core
// group), pods/status, deployments.apps, deployments.apps/scale, pods/* for
// any subresource, *.apps; * is every resource and subresource. pods alone is
// not pods/status, unless the block has subresources. A uri is compared
// with the path before the question mark; one that has a question mark itself
// and a regular expression are compared with the whole. A code is 404, 4xx
// or 500-504, and $none before there is an answer.
//
// Deciding is pure: the same event gives the same [Decision], whatever came
// before. [Counts] adds up the decisions of a run.
package noise
