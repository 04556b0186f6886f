package store

import "github.com/whet-k8s/whet/audit"

// Kept gives an event with no more of its bodies than a data set keeps, so that
// what is said of it is the same of a log and of a data set. It shares the rest
// with the event.
func Kept(e *audit.Event) *audit.Event {
	k := *e
	k.Raw, k.Request, k.Response = nil, keptBody(e.Request), keptBody(e.Response)
	return &k
}

func keptBody(b *audit.Body) *audit.Body {
	if b == nil {
		return nil
	}
	k := &audit.Body{
		Kind: b.Kind, Name: b.Name, Generation: b.Generation, Labels: b.Labels,
		Replicas: b.Replicas, Suspend: b.Suspend, Paused: b.Paused,
		Images: b.Images, Reason: b.Reason, Type: b.Type, PatchPaths: b.PatchPaths,
	}
	k.Pod.NodeName = b.Pod.NodeName
	return k
}
