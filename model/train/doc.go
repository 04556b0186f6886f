// Package train makes models for package model, and says how good they are.
//
// A [Source] names a log and where its true labels are: in the truth of a
// recording (package evaluate), or at a key of each event. [Load] links the log
// and gives its lines; [Recordings] finds the logs of recordings. A [Plan]
// says how a model is made from them: [Plan.Train] holds back the end of each
// log, builds the vocabulary, and trains until what is held back gets no
// better. Options.Checkpoint lets a training go on after a kill.
//
// Nothing here shuffles lines between what is trained on and what is measured.
// Windows overlap, so a network that has seen a window's neighbour has seen
// most of the window; figures from such a split are far too good. A [Study]
// leaves out whole recordings, or parts in time with a gap of a window, and a
// [Measurement] compares what a model says with the truth: by line, by vote,
// by class, by confidence, and beside what the linker alone proposes.
package train
