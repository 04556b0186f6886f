// Package webhook takes audit events over HTTP from the webhook backend of an
// API server (--audit-webhook-config-file), and from whoever sends the same: a
// POST of an EventList to /ingest/CLUSTER.
package webhook
