package store

import (
	"io"
	"strconv"
	"strings"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/internal/parquetfile"
	"github.com/whet-k8s/whet/pipeline"
)

// eventTable collects events for one segment.
type eventTable struct {
	rows int

	auditID                                                uuidColumn
	received, elapsed, ordinal, lineBase, item             numberColumn
	stage, level, verb                                     textColumn
	query, path                                            textColumn
	username, userUID, userAgent                           textColumn
	groups, sourceIPs                                      listColumn
	extra                                                  mapColumn[[]string]
	impersonated                                           textColumn
	apiGroup, apiVersion, resource, subresource, namespace textColumn
	name                                                   textColumn
	uid                                                    uuidColumn
	resourceVersion, code                                  numberColumn
	versionText                                            textColumn
	status, reason, message                                textColumn
	annotations                                            mapColumn[string]
	request, response                                      bodyColumn
	context, autonomous                                    uuidColumn
	actor, role, rule, evidence                            textColumn
	cause, rival                                           []string
	causes, rivals                                         distances
	confidence                                             []float64
	label                                                  numberColumn
	file                                                   textColumn

	batch []pending
	line  []byte
}

func newEventTable() *eventTable {
	t := new(eventTable)
	t.auditID.unique = true
	return t
}

// reset takes all rows out. What the columns learnt of texts that repeat stays.
func (t *eventTable) reset() {
	for _, c := range t.columns() {
		c.reset()
	}
	clear(t.cause)
	clear(t.rival)
	t.rows, t.cause, t.rival = 0, t.cause[:0], t.rival[:0]
	for _, shared := range []interface{ forget() }{&t.groups, &t.extra, &t.sourceIPs, &t.annotations, &t.request, &t.response} {
		shared.forget()
	}
	for _, c := range []*uuidColumn{&t.uid, &t.context, &t.autonomous} {
		c.last = ""
		c.other.reset()
	}
	t.auditID.texts = t.auditID.texts[:0]
}

// batchRows is how many events are taken together: column after column, so that
// what a column needs stays in the processor's cache meanwhile.
const batchRows = 64

// pending is an event that is in no column yet.
type pending struct {
	*audit.Event
	pipeline.Annotation
	// ordinal is the event's place among all that were ever read into the data
	// set.
	ordinal int64
}

// add takes events with what was found out about them.
func (t *eventTable) add(batch []pending) {
	t.rows += len(batch)
	t.batch = batch
	t.fill()
	t.batch = nil
}

// fill brings the pending events into the columns.
func (t *eventTable) fill() {
	t.fillPlace()
	t.fillRequest()
	t.fillClient()
	t.fillObject()
	t.fillAnswer()
	t.fillLinks()
}

// texts fills a column.
func (t *eventTable) texts(c *textColumn, get func(*pending) string) {
	for i := range t.batch {
		c.add(get(&t.batch[i]))
	}
}

func (t *eventTable) fillPlace() {
	for i := range t.batch {
		p := &t.batch[i]
		t.auditID.add(p.Event.AuditID)
		received := p.RequestReceived.UnixMicro()
		t.received.add(received)
		if p.StageTime.IsZero() {
			t.elapsed.addNull()
		} else {
			t.elapsed.add(p.StageTime.UnixMicro() - received)
		}
		t.ordinal.add(p.ordinal)
		t.lineBase.add(int64(p.Event.Position.Line) - p.ordinal)
		t.item.addOr(int64(p.Event.Position.Item))
	}
	t.texts(&t.file, func(p *pending) string { return p.Event.Position.Source })
}

func (t *eventTable) fillRequest() {
	t.texts(&t.stage, func(p *pending) string { return string(p.Event.Stage) })
	t.texts(&t.level, func(p *pending) string { return string(p.Level) })
	t.texts(&t.verb, func(p *pending) string { return p.Verb })
	for i := range t.batch {
		t.addURI(t.batch[i].Event)
	}
}

// fillClient takes who sent the requests.
func (t *eventTable) fillClient() {
	t.texts(&t.username, func(p *pending) string { return p.User.Username })
	t.texts(&t.userUID, func(p *pending) string { return p.User.UID })
	t.texts(&t.userAgent, func(p *pending) string { return p.UserAgent })
	for i := range t.batch {
		e := t.batch[i].Event
		t.groups.add(e.User.Groups)
		t.extra.add(e.User.Extra, appendList)
		t.sourceIPs.add(e.SourceIPs)
		t.addImpersonated(e.Impersonated)
	}
}

func (t *eventTable) fillObject() {
	t.texts(&t.apiGroup, func(p *pending) string { return p.Object.APIGroup })
	t.texts(&t.apiVersion, func(p *pending) string { return p.Object.APIVersion })
	t.texts(&t.resource, func(p *pending) string { return p.Object.Resource })
	t.texts(&t.subresource, func(p *pending) string { return p.Object.Subresource })
	t.texts(&t.namespace, func(p *pending) string { return p.Object.Namespace })
	t.texts(&t.name, func(p *pending) string { return p.Object.Name })
	for i := range t.batch {
		t.uid.add(t.batch[i].Object.UID)
		t.addVersion(t.batch[i].Object.ResourceVersion)
	}
}

func (t *eventTable) fillAnswer() {
	t.texts(&t.status, func(p *pending) string { return p.Status.Status })
	t.texts(&t.reason, func(p *pending) string { return p.Status.Reason })
	t.texts(&t.message, func(p *pending) string { return p.Status.Message })
	for i := range t.batch {
		e := t.batch[i].Event
		t.code.addOr(int64(e.Status.Code))
		t.annotations.add(e.Annotations, pipeline.AppendJSONString)
	}
	for i := range t.batch {
		t.request.add(t.batch[i].Request, t.batch[i].Object.Name)
	}
	for i := range t.batch {
		t.response.add(t.batch[i].Response, t.batch[i].Object.Name)
	}
}

// fillLinks takes what was found out about the events.
func (t *eventTable) fillLinks() {
	t.texts(&t.actor, func(p *pending) string { return p.Actor })
	t.texts(&t.role, func(p *pending) string { return string(p.Role) })
	t.texts(&t.rule, func(p *pending) string { return p.Rule })
	t.texts(&t.evidence, func(p *pending) string { return p.Evidence })
	for i := range t.batch {
		p := &t.batch[i]
		t.context.add(p.Context)
		t.autonomous.add(p.Autonomous)
		t.cause = append(t.cause, p.Cause)
		t.rival = append(t.rival, p.Rival)
		t.confidence = append(t.confidence, p.Confidence)
		t.label.add(int64(p.Label))
	}
}

func (t *eventTable) addImpersonated(u *audit.User) {
	if u == nil {
		t.impersonated.addNull()
		return
	}
	t.line = append(t.line[:0], `{"username":`...)
	t.line = pipeline.AppendJSONString(t.line, u.Username)
	t.line = append(t.line, `,"uid":`...)
	t.line = pipeline.AppendJSONString(t.line, u.UID)
	t.line = append(t.line, `,"groups":`...)
	t.line = append(appendList(t.line, u.Groups), '}')
	t.impersonated.index = append(t.impersonated.index, t.impersonated.bytes(t.line))
}

// addURI takes the request's URI: of its path only what objectRef does not
// say.
func (t *eventTable) addURI(e *audit.Event) {
	path, query, _ := strings.Cut(e.RequestURI, "?")
	t.line = appendPath(t.line[:0], e)
	if string(t.line) != path || strings.HasSuffix(e.RequestURI, "?") {
		t.path.add(e.RequestURI)
		t.query.add("")
		return
	}
	t.path.add("")
	t.query.add(query)
}

// appendPath appends the path of a request as it follows from its objectRef.
// pathSQL says the same.
func appendPath(b []byte, e *audit.Event) []byte {
	o := &e.Object
	if o.APIGroup == "" {
		b = append(b, "/api/"...)
	} else {
		b = append(append(append(b, "/apis/"...), o.APIGroup...), '/')
	}
	b = append(b, o.APIVersion...)
	if o.Namespace != "" && o.Resource != "namespaces" {
		b = append(append(b, "/namespaces/"...), o.Namespace...)
	}
	b = append(append(b, '/'), o.Resource...)
	if o.Name != "" && (o.Subresource != "" || !onCollection(e.Verb)) {
		b = append(append(b, '/'), o.Name...)
	}
	if o.Subresource != "" {
		b = append(append(b, '/'), o.Subresource...)
	}
	return b
}

// onCollection tells the verbs whose path ends with the resource. The name is
// then that in the body, or in the field selector.
func onCollection(verb string) bool {
	switch verb {
	case "create", "list", "watch", "deletecollection":
		return true
	}
	return false
}

// addVersion takes a resourceVersion, which is a number in nearly all events.
func (t *eventTable) addVersion(s string) {
	if s == "" {
		t.resourceVersion.addNull()
		t.versionText.addNull()
		return
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		t.resourceVersion.addNull()
		t.versionText.add(s)
		return
	}
	t.resourceVersion.add(n)
	t.versionText.add("")
}

// order gives the rows in the order of the file: those of one client and
// resource together, and within in order of time. Rows for which skip is true
// are left out.
func (t *eventTable) order(skip []bool) []int32 {
	rows := make([]int32, 0, t.rows)
	for row := range t.rows {
		if skip == nil || !skip[row] {
			rows = append(rows, int32(row))
		}
	}
	sortRows(rows, [][]int32{t.username.ranks(), t.userAgent.ranks(), t.resource.ranks()}, t.received.numbers)
	return rows
}

// resolve turns the auditIDs that links name into distances: for an event of
// these rows how many events of the log lie between, for others the auditID
// stays.
func (t *eventTable) resolve(skip []bool) {
	ordinals := t.ordinals(skip)
	t.causes.resolve(t.cause, t.ordinal.numbers, ordinals)
	t.rivals.resolve(t.rival, t.ordinal.numbers, ordinals)
}

// ordinals gives the ordinals of events by their auditID: of the stages of a
// request, and of requests with the same auditID, that of the first. Those that
// are UUIDs stand there in 16 bytes. Rows for which skip is true are left out.
func (t *eventTable) ordinals(skip []bool) map[string]int64 {
	ordinals := make(map[string]int64, t.rows)
	for row := range t.rows {
		if skip != nil && skip[row] {
			continue
		}
		id := t.auditID.binary(row)
		if at, ok := ordinals[id]; !ok || t.ordinal.numbers[row] < at {
			ordinals[id] = t.ordinal.numbers[row]
		}
	}
	return ordinals
}

// distances are the two columns that a column of auditIDs becomes.
type distances struct {
	near numberColumn
	far  textColumn
}

func (d *distances) resolve(ids []string, own []int64, ordinals map[string]int64) {
	d.near.numbers, d.near.null = d.near.numbers[:0], d.near.null[:0]
	d.far.reset()
	for row, id := range ids {
		at, ok := find(ordinals, id)
		switch {
		case id == "":
			d.near.addNull()
			d.far.addNull()
		case ok:
			d.near.add(own[row] - at)
			d.far.addNull()
		default:
			d.near.addNull()
			d.far.add(id)
		}
	}
}

// find looks an auditID up among ordinals.
func find(ordinals map[string]int64, id string) (int64, bool) {
	if binary, ok := binaryUUID(id); ok {
		at, ok := ordinals[string(binary[:])]
		return at, ok
	}
	at, ok := ordinals[id]
	return at, ok
}

func (t *eventTable) columns() []fileColumn {
	return []fileColumn{
		auditIDOf(&t.auditID), textOf("auditIDText", &t.auditID.other),
		timeOf("requestReceivedTimestamp", &t.received),
		elapsedOf(&t.elapsed), wholeOf("ordinal", &t.ordinal),
		numberOf("lineBase", parquetfile.Int64, parquetfile.Dictionary, &t.lineBase),
		numberOf("item", parquetfile.Int32, parquetfile.Dictionary, &t.item),
		textOf("file", &t.file), textOf("stage", &t.stage), textOf("level", &t.level), textOf("verb", &t.verb),
		textOf("path", &t.path), textOf("query", &t.query),
		textOf("username", &t.username), textOf("userUID", &t.userUID), jsonOf("groups", &t.groups.textColumn),
		jsonOf("extra", &t.extra.textColumn), jsonOf("impersonated", &t.impersonated),
		jsonOf("sourceIPs", &t.sourceIPs.textColumn), textOf("userAgent", &t.userAgent),
		textOf("apiGroup", &t.apiGroup), textOf("apiVersion", &t.apiVersion), textOf("resource", &t.resource),
		textOf("subresource", &t.subresource), textOf("namespace", &t.namespace), textOf("name", &t.name),
		uuidOf("uid", &t.uid), textOf("uidText", &t.uid.other),
		numberOf("resourceVersion", parquetfile.Int64, parquetfile.Plain, &t.resourceVersion),
		textOf("resourceVersionText", &t.versionText),
		numberOf("code", parquetfile.Int32, parquetfile.Dictionary, &t.code),
		textOf("status", &t.status), textOf("reason", &t.reason), textOf("message", &t.message),
		jsonOf("annotations", &t.annotations.textColumn),
		jsonOf("requestObject", &t.request.textColumn), jsonOf("responseObject", &t.response.textColumn),
		uuidOf("context", &t.context), uuidOf("autonomous", &t.autonomous), textOf("actor", &t.actor),
		textOf("role", &t.role), textOf("rule", &t.rule), textOf("evidence", &t.evidence),
		numberOf("cause", parquetfile.Int32, parquetfile.Plain, &t.causes.near), textOf("causeID", &t.causes.far),
		numberOf("rival", parquetfile.Int32, parquetfile.Plain, &t.rivals.near), textOf("rivalID", &t.rivals.far),
		{Column: parquetfile.Column{Name: "confidence", Type: parquetfile.Double, Encoding: parquetfile.Plain}, floats: &t.confidence},
		numberOf("label", parquetfile.Int64, parquetfile.Dictionary, &t.label),
	}
}

// write writes the rows as a segment.
func (t *eventTable) write(w io.Writer, rows []int32, compress parquetfile.Compress) error {
	return writeColumns(w, t.columns(), rows, compress)
}

// read appends the rows of a segment.
func (t *eventTable) read(name string) error {
	err := readFile(name, t.columns())
	t.rows = len(t.received.numbers)
	return err
}

// join turns the auditIDs that links name into distances where the segments
// that were read together have the event.
func (t *eventTable) join() {
	var ordinals map[string]int64
	for _, d := range []*distances{&t.causes, &t.rivals} {
		for row, at := range d.far.index {
			if at < 0 {
				continue
			}
			if ordinals == nil {
				ordinals = t.ordinals(nil)
			}
			if ordinal, ok := find(ordinals, d.far.texts[at]); ok {
				d.far.index[row] = none
				d.near.numbers[row], d.near.null[row] = t.ordinal.numbers[row]-ordinal, false
			}
		}
	}
}
