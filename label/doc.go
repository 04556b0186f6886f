// Package label names actions with integers.
//
// A label says which resource and subresource a request is about, whether it
// has a namespace, whether it names one object or many, and its verb. The
// label of a context is the label of its root, and every event of the context
// carries it. The numbers are those of the published data sets (the paper
// "Sharpening Kubernetes Audit Logs with Context Awareness"), bit for bit, so
// that models and logs labelled with the one can be read with the other.
//
// The bits of a label, least significant first:
//
//	0-3    upper bits of the subresource id (id / 8)
//	4-6    verb: create 1, delete and deletecollection 2, get and list 3,
//	       patch and update 4, watch 5
//	7      1 when objectRef.name is not empty
//	8      1 when objectRef.namespace is not empty
//	9-11   lower three bits of the subresource id
//	12-21  resource id
//
// [Unknown] (-1) and [Ignored] (-2) are no actions. A create with generateName
// has no objectRef.name, so its bit 7 is 0, as in the published data.
//
// Start with [New], which builds a [Codec]; a Codec never changes and may be
// shared by goroutines. [Codec.EncodeEvent] gives an event's label,
// [Codec.Decode] what a label means, [Codec.Space] all labels there are, and
// [Codec.Propose] the labels a person might mean for an event, each with a
// reason. [Sentence] says in words what an event asks for, such as "scale
// deployment payments/web to 4".
//
// # The tables
//
// The published table has 56 resources and two stand-ins for custom resources
// (666, and 667 for namespaced ones). A resource is found by its group and its
// plural name; the version plays no part, since one resource has one number in
// all its versions. A group that no table has is a custom resource, whatever
// its subresource.
//
// Resources that Kubernetes gained after the table was published have ids from
// 500 upward here, in a table of their own. These ids are whet's, and stable:
// a new resource gets the next id, and no id is used twice. [Codec.Space]
// leaves them out, because the published space has 1,356 labels.
package label
