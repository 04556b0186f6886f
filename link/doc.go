// Package link finds, for every request in an audit log, who or what caused
// it.
//
// A person's one command sets off requests by controllers, the scheduler,
// kubelets and the API server. The Linker puts them back together: it reads
// the events of a log, keeps an index of the objects they change, and gives
// every event an Assignment: the context it belongs to, its role in it, and
// the link to the event that caused it, with the rule that says so, the
// evidence and a confidence.
//
// # How it works
//
// Events enter with Add in the order of the log and leave, through the
// function given to New, in a different one. On the way they pass
//
//  1. a window that puts them in the order in which the API server received
//     the requests, since a log is written in the order in which they ended;
//  2. a short look ahead, in which the Linker learns what kind of client
//     each user is (observe, in actor.go) and which names generated objects
//     got;
//  3. the decision: a person's request joins the command in progress
//     (command.go); a component's request is an effect, and the rules
//     (rule.go) name the relations on which its cause is sought: the object
//     itself, its owner, its dependents, the pods a service selects, the
//     namespace, the request it was part of. Of all changes found there the
//     newest that the component can have seen is the cause (cause.go);
//  4. the index (object.go), which remembers what the request changed.
//
// The linker uses no component's name where a relation can speak: who writes
// a ReplicaSet's status is its controller, whatever its account is called.
//
// Nothing here reads a file or the clock. The same events give the same
// assignments, also when they come in another order within the window.
package link
