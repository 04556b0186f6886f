// Package service is a live server: it takes the audit events of clusters as
// they come, keeps them until they are analysed, and shows the contexts while
// they happen. whet serve --config runs one.
//
//	webhook ─┐
//	follow ──┼─► queue ─► engine ─┬─► data set ─► server ─► readers
//	stdin ───┘                    ├─► hub ──────────┘
//	                              └─► alerts
//
// Each cluster has a stream of the queue and an engine of its own; all share one
// data set. What fails is tried again for as long as the server runs, and shows
// in three places: in the log, in the metrics, and in /readyz.
//
// # Paths
//
//	/ingest/CLUSTER  takes EventLists from clients with the role ingest
//	/healthz         says that the process answers
//	/readyz          says whether events are taken and analysed: 503 when the disk
//	                 is full, an engine fails, or a source gives nothing
//	/metrics         the metrics, for Prometheus
//	everything else  the web app and its API, for clients with the role read
//
// Where a client has the role read, or the address can be reached by others,
// whoever reads shows a credential, for the metrics too; /healthz and /readyz
// are open to all and tell others no more than the names of what is wrong.
//
// # The end
//
// When its context ends, a Service first takes nothing more: it answers the
// requests that have begun, and moves the offsets of files behind what is in the
// queue. Then the engines make a last checkpoint. What is in the queue by then
// and not analysed is there at the next start, and so it is after a kill.
package service
