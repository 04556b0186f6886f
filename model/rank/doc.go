// Package rank chooses among the contexts that may have caused a request, where
// the log has no body that tells: it is the learned half of package link.
//
// At the levels Metadata and Request the linker's rules go by names, time and
// place. They are nearly always right, and where they are wrong the right
// context is nearly always among those nearby: a quota that was changed, an
// owner that was deleted, a pod of another Deployment behind the same Service.
// To see that, evidence must be weighed against evidence, which rules are bad
// at. So the linker asks a [link.Ranker] in such cases, and hands over all that
// it can say of every candidate ([link.Choice]).
//
// A [Model] answers. It turns each candidate into some fifty numbers
// (feature.go), lets a hundred small decision trees score them (forest.go), and
// takes the best. How far the scores lie apart says how sure it is, and a curve
// that was measured on logs held back turns that into a share of right links.
// [Default] is the model that whet comes with.
//
// Models are made by [Fit] from [Example] choices with their answers, which a
// [Recorder] collects: a Ranker that knows the truth, answers with it, and
// keeps the question. The trees are grown one after the other, each to mend
// what those before it get wrong (gradient boosting on the softmax over the
// candidates of a choice). Package model/train does both from recordings.
//
// Names of users, objects and programs are not among the numbers, only how
// alike two names are. The same examples, options and seed give the same model
// on any number of goroutines, and a model file holds nothing that runs.
package rank
