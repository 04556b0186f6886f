// Package replicate makes a large audit log out of a recording, for benchmarks:
// copy after copy of the recording, each later than the one before and with
// identifiers of its own.
//
// In copy k every UUID (auditIDs, UIDs and whatever else has that form) becomes
// another one, times are shifted by k times the recording's length, also those
// in the names of Events, and namespaces get the suffix -rK, wherever they stand in a line; kube-* and
// default keep their names. An auditID that is no UUID gets the suffix too.
// Resource versions, names of objects and of people stay. What is made depends
// on the recording, the number of the copy and the seed alone, so the same seed
// gives the same bytes.
//
// [Read] reads a recording once and finds what has to change; [Recording.Write]
// then writes copies as fast as memory can be copied. Truth files go along with
// [Recording.WriteTruth].
//
// A namespace's name is changed where it stands as one: in a namespace field or
// a path, in the names of service accounts, in messages that say namespace, and
// as the name in requests for namespaces. An object that happens to be called
// like a namespace keeps its name. The recording is held in memory.
package replicate
