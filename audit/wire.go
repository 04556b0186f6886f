package audit

import "github.com/goccy/go-json"

// The wire types are what a scanner reads of an event's JSON, field by field;
// what they leave out it skips, which is most of a body. Their strings may be a
// part of the JSON. Their maps and their lists of strings are not, and may be
// shared with other events. B is what a body becomes: *wireBody, or
// json.RawMessage where only the rest matters.
type wireEvent[B any] struct {
	Kind             string            `json:"kind"`
	APIVersion       string            `json:"apiVersion"`
	Level            string            `json:"level"`
	AuditID          string            `json:"auditID"`
	Stage            string            `json:"stage"`
	RequestURI       string            `json:"requestURI"`
	Verb             string            `json:"verb"`
	User             wireUser          `json:"user"`
	ImpersonatedUser *wireUser         `json:"impersonatedUser"`
	SourceIPs        []string          `json:"sourceIPs"`
	UserAgent        string            `json:"userAgent"`
	ObjectRef        *wireObjectRef    `json:"objectRef"`
	ResponseStatus   *wireStatus       `json:"responseStatus"`
	RequestObject    B                 `json:"requestObject"`
	ResponseObject   B                 `json:"responseObject"`
	RequestReceived  string            `json:"requestReceivedTimestamp"`
	StageTimestamp   string            `json:"stageTimestamp"`
	Annotations      map[string]string `json:"annotations"`
}

type wireUser struct {
	Username string              `json:"username"`
	UID      string              `json:"uid"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

type wireObjectRef struct {
	Resource        string `json:"resource"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	UID             string `json:"uid"`
	APIGroup        string `json:"apiGroup"`
	APIVersion      string `json:"apiVersion"`
	ResourceVersion string `json:"resourceVersion"`
	Subresource     string `json:"subresource"`
}

type wireStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Code    int32  `json:"code"`
}

// wireBody is the union of what whet reads of every kind of object. Where a
// custom resource has something of another type in a field, the scanner passes
// over it.
type wireBody struct {
	Kind       string       `json:"kind"`
	APIVersion string       `json:"apiVersion"`
	Metadata   wireMetadata `json:"metadata"`
	Spec       wireSpec     `json:"spec"`

	// Event, of core and of events.k8s.io, and Status.
	InvolvedObject      *wireReference `json:"involvedObject"`
	Regarding           *wireReference `json:"regarding"`
	Reason              string         `json:"reason"`
	Type                string         `json:"type"`
	Message             string         `json:"message"`
	Note                string         `json:"note"`
	Action              string         `json:"action"`
	Source              wireSource     `json:"source"`
	DeprecatedSource    wireSource     `json:"deprecatedSource"`
	ReportingController string         `json:"reportingController"`
	ReportingComponent  string         `json:"reportingComponent"`
	Details             *wireDetails   `json:"details"`

	// Binding, RoleBinding and ClusterRoleBinding.
	Target   *wireReference  `json:"target"`
	RoleRef  *wireRoleRef    `json:"roleRef"`
	Subjects []wireReference `json:"subjects"`

	// Lists, and the Table that kubectl get asks for.
	Items []wireItem `json:"items"`
	Rows  []wireRow  `json:"rows"`
}

type wireMetadata struct {
	Name              string            `json:"name"`
	GenerateName      string            `json:"generateName"`
	Namespace         string            `json:"namespace"`
	UID               string            `json:"uid"`
	ResourceVersion   string            `json:"resourceVersion"`
	Generation        int64             `json:"generation"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	Finalizers        []string          `json:"finalizers"`
	OwnerReferences   []wireOwner       `json:"ownerReferences"`
	DeletionTimestamp string            `json:"deletionTimestamp"`
}

type wireOwner struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Controller bool   `json:"controller"`
}

type wireReference struct {
	APIVersion      string `json:"apiVersion"`
	APIGroup        string `json:"apiGroup"`
	Kind            string `json:"kind"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	UID             string `json:"uid"`
	ResourceVersion string `json:"resourceVersion"`
}

type wireRoleRef struct {
	APIGroup string `json:"apiGroup"`
	Kind     string `json:"kind"`
	Name     string `json:"name"`
}

type wireSource struct {
	Component string `json:"component"`
}

type wireDetails struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	UID  string `json:"uid"`
}

type wireItem struct {
	Kind       string           `json:"kind"`
	APIVersion string           `json:"apiVersion"`
	Metadata   wireItemMetadata `json:"metadata"`
}

type wireItemMetadata struct {
	Name            string `json:"name"`
	Namespace       string `json:"namespace"`
	UID             string `json:"uid"`
	ResourceVersion string `json:"resourceVersion"`
}

type wireRow struct {
	Object wireItem `json:"object"`
}

// wireSpec is spec of every kind: a pod's own, a workload's, a volume's.
type wireSpec struct {
	wirePodSpec

	Replicas *int32 `json:"replicas"`
	Suspend  *bool  `json:"suspend"`
	Paused   *bool  `json:"paused"`
	// Selector has the labels of a LabelSelector, or a plain map's.
	Selector       map[string]string `json:"selector"`
	Template       *wireTemplate     `json:"template"`
	JobTemplate    *wireJobTemplate  `json:"jobTemplate"`
	ScaleTargetRef *wireReference    `json:"scaleTargetRef"`
	BoundObjectRef *wireReference    `json:"boundObjectRef"`
	ClaimRef       *wireReference    `json:"claimRef"`
	VolumeName     string            `json:"volumeName"`
	Group          string            `json:"group"`
	Names          wireNames         `json:"names"`
}

type wireNames struct {
	Plural string `json:"plural"`
}

type wireTemplate struct {
	Metadata wireTemplateMetadata `json:"metadata"`
	Spec     wirePodSpec          `json:"spec"`
}

type wireTemplateMetadata struct {
	Labels map[string]string `json:"labels"`
}

type wireJobTemplate struct {
	Spec wireJobSpec `json:"spec"`
}

type wireJobSpec struct {
	Template *wireTemplate `json:"template"`
}

type wirePodSpec struct {
	NodeName            string          `json:"nodeName"`
	ServiceAccountName  string          `json:"serviceAccountName"`
	ServiceAccount      string          `json:"serviceAccount"`
	Containers          []wireContainer `json:"containers"`
	InitContainers      []wireContainer `json:"initContainers"`
	EphemeralContainers []wireContainer `json:"ephemeralContainers"`
	Volumes             []wireVolume    `json:"volumes"`
	ImagePullSecrets    []wireName      `json:"imagePullSecrets"`
	HostNetwork         bool            `json:"hostNetwork"`
	HostPID             bool            `json:"hostPID"`
	HostIPC             bool            `json:"hostIPC"`
}

type wireContainer struct {
	Image   string        `json:"image"`
	Env     []wireEnv     `json:"env"`
	EnvFrom []wireEnvFrom `json:"envFrom"`

	SecurityContext *wireSecurity `json:"securityContext"`
}

type wireSecurity struct {
	Privileged bool `json:"privileged"`
}

type wireEnv struct {
	ValueFrom *wireEnvSource `json:"valueFrom"`
}

type wireEnvSource struct {
	ConfigMapKeyRef wireName `json:"configMapKeyRef"`
	SecretKeyRef    wireName `json:"secretKeyRef"`
}

type wireEnvFrom struct {
	ConfigMapRef wireName `json:"configMapRef"`
	SecretRef    wireName `json:"secretRef"`
}

type wireVolume struct {
	PersistentVolumeClaim wireClaim      `json:"persistentVolumeClaim"`
	ConfigMap             wireName       `json:"configMap"`
	Secret                wireSecret     `json:"secret"`
	Projected             *wireProjected `json:"projected"`
	CSI                   *wireCSI       `json:"csi"`
	HostPath              *wirePath      `json:"hostPath"`
}

type wirePath struct {
	Path string `json:"path"`
}

type wireClaim struct {
	ClaimName string `json:"claimName"`
}

type wireSecret struct {
	SecretName string `json:"secretName"`
}

type wireProjected struct {
	Sources []wireProjection `json:"sources"`
}

type wireProjection struct {
	ConfigMap wireName `json:"configMap"`
	Secret    wireName `json:"secret"`
}

type wireCSI struct {
	NodePublishSecretRef wireName `json:"nodePublishSecretRef"`
}

type wireName struct {
	Name string `json:"name"`
}

// wirePatchOp is one operation of a JSON patch (RFC 6902).
type wirePatchOp struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}
