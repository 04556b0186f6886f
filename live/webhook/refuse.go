package webhook

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Reason is why a body was refused.
type Reason string

// The reasons.
const (
	ReasonMethod      Reason = "method"        // no POST
	ReasonCredential  Reason = "credential"    // none, a wrong one, one that has expired
	ReasonForbidden   Reason = "forbidden"     // the client may not send events of the cluster
	ReasonCluster     Reason = "cluster"       // no name of a cluster, or an unknown one
	ReasonType        Reason = "type"          // another content type or encoding
	ReasonCut         Reason = "cut"           // the connection ended in the middle of the body
	ReasonSlow        Reason = "slow"          // the body took too long
	ReasonTooLarge    Reason = "too-large"     // the body, what it becomes, or one event
	ReasonNoList      Reason = "no-event-list" // something else, or half of one
	ReasonFuture      Reason = "future"        // some events are from the future; the rest is stored
	ReasonRate        Reason = "rate"          // the client sends too much
	ReasonBusy        Reason = "busy"          // too many bodies at once
	ReasonFull        Reason = "full"          // the queue takes nothing for now
	ReasonFailed      Reason = "failed"        // the queue failed
	reasonUnspecified Reason = "unspecified"
)

// refusal is the answer to a body that is not acknowledged.
type refusal struct {
	status int
	reason Reason
	text   string
	retry  time.Duration
}

func (r *refusal) Error() string { return r.text }

// refuse answers, counts and logs.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, d *delivery, err error) {
	var no *refusal
	if !errors.As(err, &no) {
		no = &refusal{status: http.StatusInternalServerError, reason: reasonUnspecified, text: err.Error()}
	}
	h.counts.refused(d.cluster, no.reason)
	key := d.cluster + " " + d.client + " " + strconv.Itoa(no.status) + " " + string(no.reason)
	if no.status == http.StatusUnauthorized {
		key += " " + no.text // which says what is wrong with the credential, and whose it was
	}
	if more, say := h.quiet.Say(key); say {
		h.options.Log.Warn("events were refused", "reason", no.reason, "status", no.status, "error", no.text,
			"cluster", d.cluster, "client", d.client, "remote", r.RemoteAddr, "more", more)
	}
	head := w.Header()
	switch no.status {
	case http.StatusUnauthorized:
		head.Set("WWW-Authenticate", `Bearer realm="whet"`)
	case http.StatusMethodNotAllowed:
		head.Set("Allow", http.MethodPost)
	}
	if no.retry > 0 {
		head.Set("Retry-After", strconv.Itoa(int(math.Ceil(no.retry.Seconds()))))
	}
	http.Error(w, no.text, no.status)
}

// quoted bounds how much of what a client sent an answer cites, in bytes.
const quoted = 64

func quote(s string) string {
	if len(s) > quoted {
		return strconv.QuoteToASCII(s[:quoted]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
