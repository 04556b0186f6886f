// Package model is the learned labeller: a network that reads the lines of a
// log and gives each the label of the action that caused it.
//
// # What it sees
//
// An [Extractor] turns an event, and what package link says of it, into a
// [Line]: categories of the event by itself (verb, resource, who sent it, with
// what program, the kinds in its bodies), how it relates to earlier events (the
// same object, the same client, the namespace, its cause, the next best cause;
// how long ago), and candidates: labels that it may well have, such as that of
// the root of its operation as the linker has it. [FeatureNames] lists the
// categories. A [Vocabulary] numbers their values, with a number for what it
// has never seen and one for what is not there.
//
// # What it says
//
// The network (package nn) sees a window of lines at a time and has a head for
// each of the five parts of a label: resource, subresource, whether there is a
// namespace, whether one object is named, and the verb. Each head chooses among
// the values seen in training and those of the candidates, so that an action
// never seen in training can be right. Windows overlap, and vote for each line
// with more weight in their middle; [Prediction] holds the winner, its share of
// the vote, and the others.
//
// # How to use it
//
// [Default] gives the model that whet is shipped with, [Read] one from a file.
// [Model.NewPredictor] labels events while they are linked, in memory that does
// not grow with the log. Package train makes models and measures them.
//
// A model file is a safetensors file (package safetensors) with a [Header] in
// its metadata. Nothing in it runs, and what does not fit is refused.
package model
