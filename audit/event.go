package audit

import "time"

// Level says how much of a request an audit policy recorded.
type Level string

// The levels of audit.k8s.io, from nothing to everything
// (staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go).
const (
	LevelNone            Level = "None"
	LevelMetadata        Level = "Metadata"
	LevelRequest         Level = "Request"
	LevelRequestResponse Level = "RequestResponse"
)

// Stage says how far a request had come when the event was written.
type Stage string

// The stages of audit.k8s.io. One request can give several events, one a
// stage, that share an auditID.
const (
	StageRequestReceived  Stage = "RequestReceived"
	StageResponseStarted  Stage = "ResponseStarted"
	StageResponseComplete Stage = "ResponseComplete"
	StagePanic            Stage = "Panic"
)

// AnnotationTruncated marks an event whose bodies the API server left out
// because the event was too large for the backend.
const AnnotationTruncated = "audit.k8s.io/truncated"

// Event is one event of an audit log: one stage of one request. It holds the
// event's own fields, and of the bodies only what whet needs (Object).
//
// Field names follow audit.k8s.io/v1; where an event lacks a field, its value
// here is the zero value. Events that say the same share their maps and lists,
// which must therefore not be changed.
type Event struct {
	// Position tells where the event stands in the input.
	Position Position
	// Raw is the event's JSON as the input had it: of a log with an event a
	// line the line without its line feed, of an EventList the item's bytes.
	// It is a part of its Chunk and may be kept, but not changed.
	Raw []byte

	Level      Level
	AuditID    string
	Stage      Stage
	RequestURI string
	Verb       string

	User User
	// Impersonated is the user acted as, nil when the request impersonates
	// nobody. Blame belongs to User.
	Impersonated *User

	SourceIPs []string
	UserAgent string

	// Object is what the request is about (objectRef); HasObject tells a
	// request without objectRef from one whose objectRef is empty.
	Object    ObjectRef
	HasObject bool

	// Status is the responseStatus; its Code is 0 when there is none.
	Status Status

	// RequestReceived and StageTime are requestReceivedTimestamp and
	// stageTimestamp, in UTC with microseconds.
	RequestReceived time.Time
	StageTime       time.Time

	Annotations map[string]string

	// Request and Response are what the bodies say, nil without a body. In a
	// PATCH the request is the patch, not an object.
	Request  *Body
	Response *Body
}

// Position is a place in the input.
type Position struct {
	// Source is the name of the file as the user gave it, "-" for standard
	// input, and for a member of a folder the folder's name and the member's.
	Source string
	// Line counts the physical lines of the source from 1: of an event that
	// spans several (pretty-printed), the first.
	Line int
	// Offset counts the bytes before the event in the (decompressed) source.
	Offset int64
	// Item counts the items of an EventList from 1; 0 outside a list.
	Item int
	// Size counts the bytes of the event's JSON, and stays when Event.Raw is
	// let go.
	Size int
}

// User is who sent a request, or whom it impersonates.
type User struct {
	Username string
	UID      string
	Groups   []string
	// Extra is what the authenticator adds, such as
	// authentication.kubernetes.io/credential-id, which names the credential
	// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/).
	Extra map[string][]string
}

// ObjectRef names what a request is about.
type ObjectRef struct {
	Resource        string
	Subresource     string
	Namespace       string
	Name            string
	UID             string
	APIGroup        string // "" for core
	APIVersion      string // without the group
	ResourceVersion string
}

// Status is the part of a metav1.Status that tells how a request ended.
type Status struct {
	Code    int32
	Status  string // "Success", "Failure" or ""
	Reason  string // "NotFound", "Forbidden", …
	Message string
}

// Body is what whet reads of a requestObject or a responseObject: of an
// object its metadata and the fields that tie it to other objects, of a patch
// the same fields where the patch sets them. What a merge patch sets to null
// shows in PatchPaths only, a label or annotation as "" too.
type Body struct {
	Kind       string
	APIVersion string // group/version, or version for core

	// Metadata.
	Name              string
	GenerateName      string
	Namespace         string
	UID               string
	ResourceVersion   string
	Generation        int64
	Labels            map[string]string
	Annotations       map[string]string
	Finalizers        []string
	Owners            []Owner
	DeletionTimestamp string // RFC 3339, "" when the object is not being deleted

	// Selector is spec.selector: a Service's or a ReplicationController's
	// map, or the matchLabels of a workload's or a budget's.
	Selector map[string]string
	// TemplateLabels are spec.template.metadata.labels.
	TemplateLabels map[string]string

	// Replicas is spec.replicas; nil when the body does not say.
	Replicas *int32
	// Suspend is spec.suspend, Paused spec.paused; nil when unsaid.
	Suspend *bool
	Paused  *bool
	// Images are the containers' images, of the pod or of the pod template.
	Images []string

	// Pod is what a pod's spec, or a workload's pod template, refers to.
	Pod PodRefs

	// Involved is an Event's involvedObject (core) or regarding
	// (events.k8s.io).
	Involved *InvolvedObject
	// Reason, Type and Source are an Event's reason, type and the component
	// that reports it. Reason and Message are those of a Status body too, whose
	// details give Name and UID. Type is a Secret's type too.
	Reason  string
	Type    string
	Source  string
	Message string
	// Action is an events.k8s.io Event's action.
	Action string

	// Target is a Binding's target, an HPA's spec.scaleTargetRef, a
	// TokenRequest's spec.boundObjectRef, or a binding's roleRef.
	Target *InvolvedObject
	// Subjects are a RoleBinding's or ClusterRoleBinding's.
	Subjects []InvolvedObject
	// ClaimRef is a PersistentVolume's spec.claimRef; VolumeName a claim's
	// spec.volumeName.
	ClaimRef   *InvolvedObject
	VolumeName string
	// Provides are the group and the plural name of a
	// CustomResourceDefinition's resource.
	Provides GroupResource

	// Items is the number of items of a list, or of rows of a Table; ItemRefs
	// are their names and UIDs where it has them, at most MaxItemRefs.
	Items    int
	ItemRefs []InvolvedObject

	// Patch says that the body is a patch: "json" for a JSON patch (an
	// array), "merge" for an object that is a patch (merge, strategic or
	// apply), "" for an object.
	Patch string
	// PatchPaths are the paths a JSON patch touches, or the top-level and
	// second-level keys ("spec.replicas") a merge patch sets. The decoder
	// fills it for the request of a patch only.
	PatchPaths []string
}

// MaxItemRefs bounds how many items of a list a Body names, so that a list of
// a whole cluster does not fill the memory.
const MaxItemRefs = 5000

// GroupResource names a resource as an API path does.
type GroupResource struct {
	Group    string
	Resource string
}

// Owner is one entry of metadata.ownerReferences.
type Owner struct {
	APIVersion string
	Kind       string
	Name       string
	UID        string
	Controller bool
}

// InvolvedObject is a reference from one object to another. Where the reference
// names an API group without a version, as a role binding's do, APIVersion is
// the group alone.
type InvolvedObject struct {
	APIVersion      string
	Kind            string
	Namespace       string
	Name            string
	UID             string
	ResourceVersion string
}

// PodRefs is what a pod, or a workload's pod template, refers to by name.
type PodRefs struct {
	NodeName       string
	ServiceAccount string
	Claims         []string
	ConfigMaps     []string // volumes, projected volumes, envFrom and env
	Secrets        []string // the same, and imagePullSecrets
	// Host is what gives the containers power over their node, as the Pod Security
	// Standards list it: privileged, hostNetwork, hostPID, hostIPC, and hostPath
	// with a space and the path.
	Host []string
}
