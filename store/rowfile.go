package store

import (
	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
)

// eventRow is a row of an events file.
type eventRow struct {
	AuditID     string              `parquet:"auditID"`
	Stage       string              `parquet:"stage,dict"`
	Level       string              `parquet:"level,dict"`
	Verb        string              `parquet:"verb,dict"`
	RequestURI  string              `parquet:"requestURI,dict"`
	Received    int64               `parquet:"requestReceivedTimestamp,timestamp(microsecond:local),delta"`
	StageTime   int64               `parquet:"stageTimestamp,timestamp(microsecond:local),delta"`
	Username    *string             `parquet:"username,dict"`
	UserUID     *string             `parquet:"userUID,dict"`
	Groups      []string            `parquet:"groups,list"`
	Extra       map[string][]string `parquet:"extra"`
	AsUsername  *string             `parquet:"impersonatedUsername,dict"`
	AsUID       *string             `parquet:"impersonatedUID,dict"`
	AsGroups    []string            `parquet:"impersonatedGroups,list"`
	SourceIPs   []string            `parquet:"sourceIPs,list"`
	UserAgent   *string             `parquet:"userAgent,dict"`
	APIGroup    *string             `parquet:"apiGroup,dict"`
	APIVersion  *string             `parquet:"apiVersion,dict"`
	Resource    *string             `parquet:"resource,dict"`
	Subresource *string             `parquet:"subresource,dict"`
	Namespace   *string             `parquet:"namespace,dict"`
	Name        *string             `parquet:"name,dict"`
	UID         *string             `parquet:"uid,dict"`
	Version     *string             `parquet:"resourceVersion,dict"`
	Code        *int32              `parquet:"code"`
	Status      *string             `parquet:"status,dict"`
	Reason      *string             `parquet:"reason,dict"`
	Message     *string             `parquet:"message,dict"`
	Annotations map[string]string   `parquet:"annotations"`
	Request     *bodyRow            `parquet:"requestObject"`
	Response    *bodyRow            `parquet:"responseObject"`
	Context     *string             `parquet:"context,dict"`
	Operation   *string             `parquet:"operation,dict"`
	Actor       *string             `parquet:"actor,dict"`
	Role        string              `parquet:"role,dict"`
	Cause       *string             `parquet:"cause,dict"`
	Rival       *string             `parquet:"rival,dict"`
	Rule        *string             `parquet:"rule,dict"`
	Evidence    *string             `parquet:"evidence,dict"`
	Confidence  float64             `parquet:"confidence"`
	Autonomous  *string             `parquet:"autonomous,dict"`
	Label       int64               `parquet:"label"`
	File        string              `parquet:"file,dict"`
	Line        int64               `parquet:"line,delta"`
	Item        *int32              `parquet:"item"`
}

type bodyRow struct {
	Kind     *string `parquet:"kind,dict"`
	Metadata struct {
		Name       *string           `parquet:"name,dict"`
		UID        *string           `parquet:"uid,dict"`
		Generation *int64            `parquet:"generation"`
		Labels     map[string]string `parquet:"labels"`
	} `parquet:"metadata"`
	Spec struct {
		Replicas *int32  `parquet:"replicas"`
		Suspend  *bool   `parquet:"suspend"`
		Paused   *bool   `parquet:"paused"`
		NodeName *string `parquet:"nodeName,dict"`
	} `parquet:"spec"`
	Images     []string `parquet:"images,list"`
	Reason     *string  `parquet:"reason,dict"`
	Type       *string  `parquet:"type,dict"`
	PatchPaths []string `parquet:"patchPaths,list"`
}

// contextRow is a row of a contexts file.
type contextRow struct {
	ID           string           `parquet:"id"`
	Operation    *string          `parquet:"operation,dict"`
	Username     string           `parquet:"username,dict"`
	Groups       []string         `parquet:"groups,list"`
	Impersonated *string          `parquet:"impersonated,dict"`
	UserAgent    *string          `parquet:"userAgent,dict"`
	SourceIP     *string          `parquet:"sourceIP,dict"`
	Action       string           `parquet:"action,dict"`
	Label        int64            `parquet:"label"`
	Verb         string           `parquet:"verb,dict"`
	APIGroup     *string          `parquet:"apiGroup,dict"`
	Resource     *string          `parquet:"resource,dict"`
	Subresource  *string          `parquet:"subresource,dict"`
	Namespace    *string          `parquet:"namespace,dict"`
	Name         *string          `parquet:"name,dict"`
	Code         *int32           `parquet:"code"`
	Outcome      string           `parquet:"outcome,dict"`
	Reason       *string          `parquet:"reason,dict"`
	Message      *string          `parquet:"message,dict"`
	Start        int64            `parquet:"start,timestamp(microsecond:local),delta"`
	End          int64            `parquet:"end,timestamp(microsecond:local),delta"`
	Duration     int64            `parquet:"duration"`
	Clients      int64            `parquet:"clients"`
	Effects      int64            `parquet:"effects"`
	Failed       int64            `parquet:"failed"`
	Events       int64            `parquet:"events"`
	Deletes      int64            `parquet:"deletes"`
	EffectsBy    map[string]int64 `parquet:"effectsBy"`
	Touched      map[string]int64 `parquet:"touched"`
	Origin       *string          `parquet:"origin,dict"`
	OriginActor  *string          `parquet:"originActor,dict"`
	ReadOnly     bool             `parquet:"readOnly"`
	AuditID      string           `parquet:"auditID"`
	File         string           `parquet:"file,dict"`
	Line         int64            `parquet:"line"`
	Item         *int32           `parquet:"item"`
}

// orNull is NULL for "".
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func positive[T int | int32 | int64](n T) *T {
	if n == 0 {
		return nil
	}
	return &n
}

func newEventRow(a *pipeline.Annotation, actor string) eventRow {
	e := a.Event
	r := eventRow{
		AuditID: e.AuditID, Stage: string(e.Stage), Level: string(e.Level), Verb: e.Verb, RequestURI: e.RequestURI,
		Received: e.RequestReceived.UnixMicro(), StageTime: e.StageTime.UnixMicro(),
		Username: orNull(e.User.Username), UserUID: orNull(e.User.UID), Groups: e.User.Groups, Extra: e.User.Extra,
		SourceIPs: e.SourceIPs, UserAgent: orNull(e.UserAgent),
		APIGroup: orNull(e.Object.APIGroup), APIVersion: orNull(e.Object.APIVersion), Resource: orNull(e.Object.Resource),
		Subresource: orNull(e.Object.Subresource), Namespace: orNull(e.Object.Namespace), Name: orNull(e.Object.Name),
		UID: orNull(e.Object.UID), Version: orNull(e.Object.ResourceVersion),
		Code: positive(e.Status.Code), Status: orNull(e.Status.Status), Reason: orNull(e.Status.Reason), Message: orNull(e.Status.Message),
		Annotations: e.Annotations, Request: newBodyRow(e.Request), Response: newBodyRow(e.Response),
		Context: orNull(a.Context), Operation: orNull(a.Operation), Actor: orNull(actor), Role: string(a.Role),
		Cause: orNull(a.Cause), Rival: orNull(a.Rival), Rule: orNull(a.Rule), Evidence: orNull(a.Evidence),
		Confidence: a.Confidence, Autonomous: orNull(a.Autonomous), Label: int64(a.Label),
		File: a.Position.Source, Line: int64(a.Position.Line),
	}
	if a.Position.Item != 0 {
		item := int32(a.Position.Item)
		r.Item = &item
	}
	if as := e.Impersonated; as != nil {
		r.AsUsername, r.AsUID, r.AsGroups = orNull(as.Username), orNull(as.UID), as.Groups
	}
	return r
}

func newBodyRow(b *audit.Body) *bodyRow {
	if b == nil {
		return nil
	}
	r := &bodyRow{Kind: orNull(b.Kind), Images: b.Images, Reason: orNull(b.Reason), Type: orNull(b.Type), PatchPaths: b.PatchPaths}
	r.Metadata.Name, r.Metadata.UID, r.Metadata.Labels = orNull(b.Name), orNull(b.UID), b.Labels
	r.Metadata.Generation = positive(b.Generation)
	r.Spec.Replicas, r.Spec.Suspend, r.Spec.Paused, r.Spec.NodeName = b.Replicas, b.Suspend, b.Paused, orNull(b.Pod.NodeName)
	return r
}

func newContextRow(c *pipeline.Context) contextRow {
	r := contextRow{
		ID: c.ID, Operation: orNull(c.Operation), Username: c.Actor.Username, Groups: c.Actor.Groups,
		Impersonated: orNull(c.Actor.Impersonated), UserAgent: orNull(c.Actor.UserAgent), SourceIP: orNull(c.Actor.SourceIP),
		Action: c.Action, Label: int64(c.Label), Verb: c.Verb, APIGroup: orNull(c.APIGroup), Resource: orNull(c.Resource),
		Subresource: orNull(c.Subresource), Namespace: orNull(c.Namespace), Name: orNull(c.Name),
		Code: positive(c.Outcome.Code), Outcome: c.Outcome.Word(), Reason: orNull(c.Outcome.Reason), Message: orNull(c.Outcome.Message),
		Start: c.Start.UnixMicro(), End: c.End.UnixMicro(), Duration: max(c.End.Sub(c.Start), 0).Microseconds(),
		Clients: int64(c.Clients), Effects: int64(c.Effects), Failed: int64(c.Failed), Events: int64(c.Events), Deletes: int64(c.Deletes),
		EffectsBy: counts(c.EffectsBy), Touched: counts(c.Touched),
		Origin: orNull(c.Origin), OriginActor: orNull(c.OriginActor), ReadOnly: c.ReadOnly,
		AuditID: c.Root.AuditID, File: c.Root.File, Line: int64(c.Root.Line),
	}
	if c.Root.Item != 0 {
		item := int32(c.Root.Item)
		r.Item = &item
	}
	return r
}

func counts(m map[string]int) map[string]int64 {
	if m == nil {
		return nil
	}
	got := make(map[string]int64, len(m))
	for k, n := range m {
		got[k] = int64(n)
	}
	return got
}
