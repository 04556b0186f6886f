package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// fixtures are the events of testdata/events.jsonl, cut from both recordings,
// one for each verb, subresource and kinds of the bodies, and those of
// testdata/constructed.jsonl, which show what the recordings lack.
func fixtures(t testing.TB) [][]byte {
	t.Helper()
	return append(fixtureLines(t, "events.jsonl"), fixtureLines(t, "constructed.jsonl")...)
}

func fixtureLines(t testing.TB, name string) [][]byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(data), []byte("\n"))
}

// referenceEvent decodes an event with the official types and encoding/json.
func referenceEvent(raw []byte) (*Event, error) {
	var e auditv1.Event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	version := e.APIVersion == APIVersionV1 || e.APIVersion == APIVersionV1Beta1
	if e.Kind != "Event" || !version || e.AuditID == "" || e.Stage == "" || e.RequestReceivedTimestamp.IsZero() {
		return nil, errors.New("not an audit event")
	}
	ev := &Event{
		Level: Level(e.Level), AuditID: string(e.AuditID), Stage: Stage(e.Stage),
		RequestURI: e.RequestURI, Verb: e.Verb, User: referenceUser(&e.User),
		SourceIPs: e.SourceIPs, UserAgent: e.UserAgent,
		RequestReceived: e.RequestReceivedTimestamp.Truncate(time.Microsecond).UTC(),
		Annotations:     e.Annotations,
	}
	if !e.StageTimestamp.IsZero() {
		ev.StageTime = e.StageTimestamp.Truncate(time.Microsecond).UTC()
	}
	if e.ImpersonatedUser != nil {
		user := referenceUser(e.ImpersonatedUser)
		ev.Impersonated = &user
	}
	if o := e.ObjectRef; o != nil {
		ev.HasObject = true
		ev.Object = ObjectRef{
			Resource: o.Resource, Subresource: o.Subresource, Namespace: o.Namespace, Name: o.Name,
			UID: string(o.UID), APIGroup: o.APIGroup, APIVersion: o.APIVersion, ResourceVersion: o.ResourceVersion,
		}
	}
	if s := e.ResponseStatus; s != nil {
		ev.Status = Status{Code: s.Code, Status: s.Status, Reason: string(s.Reason), Message: s.Message}
	}
	if e.RequestObject != nil {
		ev.Request = referenceBody(e.RequestObject.Raw, e.Verb == "patch")
	}
	if e.ResponseObject != nil {
		ev.Response = referenceBody(e.ResponseObject.Raw, false)
	}
	return ev, nil
}

func referenceUser(u *authenticationv1.UserInfo) User {
	user := User{Username: u.Username, UID: u.UID, Groups: u.Groups}
	for key, list := range u.Extra {
		if user.Extra == nil {
			user.Extra = map[string][]string{}
		}
		user.Extra[key] = list
	}
	return user
}

// tree is a body as apimachinery's unstructured helpers read it.
type tree map[string]any

func (o tree) str(path ...string) string {
	s, _, _ := unstructured.NestedString(o, path...)
	return s
}

func (o tree) child(path ...string) tree {
	m, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	child, _ := m.(map[string]any)
	return child
}

func (o tree) list(path ...string) []any {
	v, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	list, _ := v.([]any)
	return list
}

func (o tree) objects(path ...string) []tree {
	var out []tree
	for _, v := range o.list(path...) {
		m, _ := v.(map[string]any)
		out = append(out, m)
	}
	return out
}

func (o tree) labels(path ...string) map[string]string {
	out := map[string]string{}
	for k, v := range o.child(path...) {
		out[k], _ = v.(string)
	}
	return out
}

func (o tree) number(path ...string) (int64, bool) {
	v, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

func (o tree) replicas() *int32 {
	v, _, _ := unstructured.NestedFieldNoCopy(o, "spec", "replicas")
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	f, err := n.Float64()
	if i := int32(f); err == nil && float64(i) == f {
		return &i
	}
	return nil
}

func (o tree) boolean(path ...string) *bool {
	v, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	if b, ok := v.(bool); ok {
		return &b
	}
	return nil
}

func (o tree) reference(path ...string) *InvolvedObject {
	m := o.child(path...)
	ref := InvolvedObject{
		APIVersion: first(m.str("apiVersion"), m.str("apiGroup")), Kind: m.str("kind"),
		Namespace: m.str("namespace"), Name: m.str("name"), UID: m.str("uid"),
		ResourceVersion: m.str("resourceVersion"),
	}
	if ref == (InvolvedObject{}) {
		return nil
	}
	return &ref
}

// referenceBody reads a body by another way than the decoder: by paths in an
// untyped tree.
func referenceBody(raw []byte, patch bool) *Body {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		b := referenceObject(v)
		if patch {
			b.Patch = "merge"
			b.PatchPaths = referencePaths(v)
		}
		return b
	case []any:
		if patch {
			return referenceJSONPatch(v)
		}
	}
	return nil
}

func referencePaths(o tree) []string {
	var out []string
	for k, v := range o {
		inner, _ := v.(map[string]any)
		for second := range inner {
			out = append(out, k+"."+second)
		}
		if len(inner) == 0 {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// referenceJSONPatch looks only at the paths: what the operations set is
// tested by TestJSONPatch.
func referenceJSONPatch(ops []any) *Body {
	b := &Body{Patch: "json"}
	for _, op := range ops {
		if m, ok := op.(map[string]any); ok {
			if path := tree(m).str("path"); path != "" {
				b.PatchPaths = append(b.PatchPaths, path)
			}
		}
	}
	return b
}

func referenceObject(o tree) *Body {
	m := o.child("metadata")
	generation, _ := m.number("generation")
	b := &Body{
		Kind: o.str("kind"), APIVersion: o.str("apiVersion"),
		Name: m.str("name"), GenerateName: m.str("generateName"), Namespace: m.str("namespace"),
		UID: m.str("uid"), ResourceVersion: m.str("resourceVersion"), Generation: generation,
		Labels: m.labels("labels"), Annotations: m.labels("annotations"),
		DeletionTimestamp: m.str("deletionTimestamp"),
		Replicas:          o.replicas(), Suspend: o.boolean("spec", "suspend"), Paused: o.boolean("spec", "paused"),
		VolumeName: o.str("spec", "volumeName"), ClaimRef: o.reference("spec", "claimRef"),
		Reason: o.str("reason"), Type: o.str("type"), Action: o.str("action"),
		Message: first(o.str("message"), o.str("note")),
		Source: first(o.str("reportingController"), o.str("reportingComponent"),
			o.str("source", "component"), o.str("deprecatedSource", "component")),
		Involved: o.reference("involvedObject"),
	}
	if b.Involved == nil {
		b.Involved = o.reference("regarding")
	}
	if plural := o.str("spec", "names", "plural"); plural != "" {
		b.Provides = GroupResource{o.str("spec", "group"), plural}
	}
	for _, v := range m.list("finalizers") {
		if s, ok := v.(string); ok && s != "" {
			b.Finalizers = append(b.Finalizers, s)
		}
	}
	for _, owner := range m.objects("ownerReferences") {
		controller := owner.boolean("controller")
		got := Owner{
			owner.str("apiVersion"), owner.str("kind"), owner.str("name"), owner.str("uid"),
			controller != nil && *controller,
		}
		if got != (Owner{}) {
			b.Owners = append(b.Owners, got)
		}
	}
	referenceRelations(o, b)
	referenceTemplates(o, b)
	return b
}

func referenceRelations(o tree, b *Body) {
	for _, path := range [][]string{{"target"}, {"spec", "scaleTargetRef"}, {"spec", "boundObjectRef"}} {
		if b.Target == nil {
			b.Target = o.reference(path...)
		}
	}
	if role := o.child("roleRef"); b.Target == nil {
		got := InvolvedObject{APIVersion: role.str("apiGroup"), Kind: role.str("kind"), Name: role.str("name")}
		if got != (InvolvedObject{}) {
			b.Target = &got
		}
	}
	for _, subject := range o.objects("subjects") {
		if ref := (tree{"s": map[string]any(subject)}).reference("s"); ref != nil {
			b.Subjects = append(b.Subjects, *ref)
		}
	}
	if _, ok := o["details"].(map[string]any); ok && b.Kind == "Status" {
		b.Name, b.UID = o.str("details", "name"), o.str("details", "uid")
	}
	items := o.objects("items")
	for _, row := range o.objects("rows") {
		items = append(items, row.child("object"))
	}
	b.Items = len(items)
	for _, item := range items {
		ref := item.reference("metadata")
		if ref == nil {
			continue
		}
		ref.APIVersion, ref.Kind = item.str("apiVersion"), item.str("kind")
		if (ref.Name != "" || ref.UID != "") && len(b.ItemRefs) < MaxItemRefs {
			b.ItemRefs = append(b.ItemRefs, *ref)
		}
	}
	selector := o.child("spec", "selector")
	if labels, ok := selector["matchLabels"].(map[string]any); ok {
		selector = labels
	}
	b.Selector = map[string]string{}
	for k, v := range selector {
		if s, ok := v.(string); ok {
			b.Selector[k] = s
		}
	}
}

func referenceTemplates(o tree, b *Body) {
	referencePod(o.child("spec"), b)
	template := o.child("spec", "template")
	if template == nil {
		template = o.child("spec", "jobTemplate", "spec", "template")
	}
	b.TemplateLabels = template.labels("metadata", "labels")
	referencePod(template.child("spec"), b)
}

func referencePod(spec tree, b *Body) {
	add := func(list *[]string, name string) {
		if name != "" && !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	p := &b.Pod
	p.NodeName = first(spec.str("nodeName"), p.NodeName)
	p.ServiceAccount = first(spec.str("serviceAccountName"), spec.str("serviceAccount"), p.ServiceAccount)
	for _, field := range []string{"containers", "initContainers", "ephemeralContainers"} {
		for _, c := range spec.objects(field) {
			if image := c.str("image"); image != "" {
				b.Images = append(b.Images, image)
			}
			for _, env := range c.objects("env") {
				add(&p.ConfigMaps, env.str("valueFrom", "configMapKeyRef", "name"))
				add(&p.Secrets, env.str("valueFrom", "secretKeyRef", "name"))
			}
			if c.child("securityContext")["privileged"] == true {
				add(&p.Host, "privileged")
			}
			for _, from := range c.objects("envFrom") {
				add(&p.ConfigMaps, from.str("configMapRef", "name"))
				add(&p.Secrets, from.str("secretRef", "name"))
			}
		}
	}
	for _, v := range spec.objects("volumes") {
		add(&p.Claims, v.str("persistentVolumeClaim", "claimName"))
		add(&p.ConfigMaps, v.str("configMap", "name"))
		add(&p.Secrets, v.str("secret", "secretName"))
		for _, s := range v.objects("projected", "sources") {
			add(&p.ConfigMaps, s.str("configMap", "name"))
			add(&p.Secrets, s.str("secret", "name"))
		}
		add(&p.Secrets, v.str("csi", "nodePublishSecretRef", "name"))
		if path := v.child("hostPath"); path != nil {
			add(&p.Host, "hostPath "+path.str("path"))
		}
	}
	for _, field := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		if spec[field] == true {
			add(&p.Host, field)
		}
	}
	for _, s := range spec.objects("imagePullSecrets") {
		add(&p.Secrets, s.str("name"))
	}
}

// compareWithReference fails when the decoder and the official types disagree.
func compareWithReference(t testing.TB, raw []byte) {
	t.Helper()
	var d Decoder
	var got Event
	gotErr := d.Decode(raw, Position{Line: 1}, &got)
	want, wantErr := referenceEvent(raw)
	var typeErr *json.UnmarshalTypeError
	var timeErr *time.ParseError
	switch {
	case !utf8.Valid(raw):
		// encoding/json reads invalid UTF-8 as the replacement character.
		if gotErr == nil {
			t.Fatalf("invalid UTF-8 is accepted: %q", raw)
		}
		return
	case wantErr == nil && gotErr != nil:
		t.Fatalf("the decoder says %v, the official types accept %s", gotErr, raw)
	case wantErr != nil && gotErr == nil && !errors.As(wantErr, &typeErr) && !errors.As(wantErr, &timeErr):
		// The official types also refuse values in fields that whet does not
		// read, and times without six digits after the second.
		t.Fatalf("the decoder accepts, the official types say %v: %s", wantErr, raw)
	case wantErr != nil || gotErr != nil:
		return
	}
	ignore := []string{"Position", "Raw"}
	if ambiguous(raw) {
		ignore = append(ignore, "Request", "Response")
	}
	if got.Request != nil && got.Request.Patch == "json" {
		got.Request = &Body{Patch: "json", PatchPaths: got.Request.PatchPaths}
	}
	if diff := cmp.Diff(want, &got, cmpopts.IgnoreFields(Event{}, ignore...), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("the decoder (+) and the official types (-) differ: %s\n%s", diff, raw)
	}
}

// ambiguous tells JSON in which an object has a key twice, or a key that
// differs only in case from one that the decoder reads: there the untyped tree
// and the types of encoding/json rightly differ.
func ambiguous(raw []byte) bool {
	known := map[string]bool{}
	jsonNames(reflect.TypeFor[wireEvent[*wireBody]](), known)
	folded := map[string]bool{}
	for name := range known {
		folded[strings.ToLower(strings.ToUpper(name))] = true
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	var walk func() bool
	walk = func() bool {
		token, err := dec.Token()
		if err != nil {
			return true
		}
		delim, _ := token.(json.Delim)
		keys := map[string]bool{}
		for delim != 0 && dec.More() {
			if delim == '{' {
				key, _ := dec.Token()
				name, _ := key.(string)
				if keys[name] || !known[name] && folded[strings.ToLower(strings.ToUpper(name))] {
					return true
				}
				keys[name] = true
			}
			if walk() {
				return true
			}
		}
		if delim != 0 {
			_, err = dec.Token()
		}
		return err != nil
	}
	return walk()
}

// jsonNames collects the JSON names of a type's fields, all the way down.
func jsonNames(t reflect.Type, into map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		jsonNames(t.Elem(), into)
	case reflect.Struct:
		for _, field := range reflect.VisibleFields(t) {
			if name := field.Tag.Get("json"); name != "" {
				into[name] = true
			}
			jsonNames(field.Type, into)
		}
	}
}

func TestDecoderAgreesWithOfficialTypes(t *testing.T) {
	for _, raw := range fixtures(t) {
		compareWithReference(t, raw)
	}
}

// TestDecoderAgreesOnMutatedEvents changes recorded events at random places
// and compares again.
func TestDecoderAgreesOnMutatedEvents(t *testing.T) {
	events := fixtures(t)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // The same events at each run.
	accepted := 0
	for range 6000 {
		raw := mutate(random, events[random.IntN(len(events))])
		compareWithReference(t, raw)
		if _, err := referenceEvent(raw); err == nil {
			accepted++
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d mutated events are still events: the mutations say little", accepted)
	}
}

// FuzzDecode compares the decoder with the official types, and the two ways
// in: Decode, and DecodeChunk.
func FuzzDecode(f *testing.F) {
	for _, raw := range fixtures(f) {
		if len(raw) < 4000 {
			f.Add(raw)
		}
	}
	f.Add([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"a","stage":"Panic"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		compareWithReference(t, raw)
		var d Decoder
		var ev Event
		err := d.Decode(raw, Position{}, &ev)
		batch := d.DecodeChunk(&Chunk{Lines: 1, Records: []Record{{Raw: raw, Line: 1, Lines: 1}}})
		if err == nil && (len(batch.Events) != 1 || len(batch.Malformed) != 0) {
			t.Fatalf("Decode accepts what DecodeChunk does not: %q", raw)
		}
		if batch.EventLines+batch.MalformedLines != 1 {
			t.Fatalf("the line is not accounted for: %+v", batch)
		}
	})
}
