package link

import (
	"slices"
	"strings"
)

// podNames remembers which pod names have turned up, since a pod made with
// generateName has none in the event of its creation below the level
// RequestResponse.
type podNames struct {
	seen  map[objectKey]micros
	fresh map[string][]freshName // by namespace, in the order of linking
	// nodes are the nodes whose kubelets have asked for a pod, which below
	// the level Request is the only sign of where it runs.
	nodes map[objectKey]string
	// reports are the Events that components recorded lately, by namespace.
	reports map[string][]eventReport
}

type freshName struct {
	key objectKey
	at  micros
}

func newPodNames() podNames {
	return podNames{seen: map[objectKey]micros{}, fresh: map[string][]freshName{}, nodes: map[objectKey]string{}, reports: map[string][]eventReport{}}
}

// observe notes a pod's name when it is seen for the first time.
func (n *podNames) observe(it *item, a *actor) {
	n.observeReport(it, a)
	ev := it.event
	if kindOf(ev) != kindPods || ev.Object.Name == "" {
		return
	}
	key := objectKey{kindPods, ev.Object.Namespace, ev.Object.Name}
	if a.node != "" {
		n.nodes[key] = a.node
	}
	_, known := n.seen[key]
	n.seen[key] = it.received
	if known {
		return
	}
	n.fresh[key.namespace] = append(n.fresh[key.namespace], freshName{key, it.received})
}

// claim finds the name of a pod that was created without one: the first new
// one afterwards whose owner is of a kind that the creator controls.
func (n *podNames) claim(x *index, r *request) string {
	list := n.fresh[r.event.Object.Namespace]
	stem := ""
	if r.event.Request != nil {
		stem = r.event.Request.GenerateName
	}
	// The first new name is the likeliest, unless the client has told by an
	// Event that it made something for another owner first.
	at, nearest := -1, micros(NoAge)
	for i, f := range list {
		if f.at <= r.received || x.find(f.key) != nil || !strings.HasPrefix(f.key.name, stem) {
			continue
		}
		owner := guessPodOwner(x, f.key)
		if owner == nil || (len(r.actor.writesStatus) > 0 && !r.actor.writesStatus[owner.key.kindRef]) {
			continue
		}
		if _, after := n.reported(r, owner.key.name); at < 0 || after < nearest {
			at, nearest = i, after
		}
	}
	if at < 0 {
		return ""
	}
	name := list[at].key.name
	n.fresh[r.event.Object.Namespace] = append(list[:at:at], list[at+1:]...)
	return name
}

func (n *podNames) forget(before, idle micros) {
	for key, at := range n.seen {
		if at < idle {
			delete(n.seen, key)
			delete(n.nodes, key)
		}
	}
	for ns, list := range n.fresh {
		i := 0
		for i < len(list) && list[i].at < before {
			i++
		}
		if i == len(list) {
			delete(n.fresh, ns)
			continue
		}
		n.fresh[ns] = list[i:]
	}
	for ns, list := range n.reports {
		list = slices.DeleteFunc(list, func(r eventReport) bool { return r.received < before })
		if n.reports[ns] = list; len(list) == 0 {
			delete(n.reports, ns)
		}
	}
}

var (
	kindReplicaSets  = kindRef{"apps", "replicasets"}
	kindDeployments  = kindRef{"apps", "deployments"}
	kindDaemonSets   = kindRef{"apps", "daemonsets"}
	kindStatefulSets = kindRef{"apps", "statefulsets"}
	kindJobs         = kindRef{"batch", "jobs"}
	kindCronJobs     = kindRef{"batch", "cronjobs"}
	kindAccounts     = kindRef{"", "serviceaccounts"}
	kindControllers  = kindRef{"", "replicationcontrollers"}
)

func guessPodOwner(x *index, key objectKey) *object {
	return x.parent(key, kindReplicaSets, kindStatefulSets, kindDaemonSets, kindJobs, kindControllers)
}

// parent finds the object of one of the kinds that the name of key grew from.
func (x *index) parent(key objectKey, kinds ...kindRef) *object {
	dash := strings.LastIndexByte(key.name, '-')
	if dash <= 0 {
		return nil
	}
	for _, kind := range kinds {
		if o := x.find(objectKey{kind, key.namespace, key.name[:dash]}); o != nil {
			return o
		}
	}
	return nil
}

// makers are the kinds whose controllers make objects of another kind under
// names that the log need not tell.
var makers = map[kindRef][]kindRef{
	kindPods:                               {kindReplicaSets, kindStatefulSets, kindDaemonSets, kindJobs, kindControllers},
	{"discovery.k8s.io", "endpointslices"}: {kindServices},
}

// visitMakers shows the objects of the kinds that make what an object without
// a known name is, as far as the client is known to control them.
func (l *Linker) visitMakers(r *request, p *pick) {
	if r.object == nil || r.object.named {
		return
	}
	kinds := makers[r.object.key.kindRef]
	controls := false
	for _, kind := range kinds {
		controls = controls || r.actor.writesStatus[kind]
	}
	for _, kind := range kinds {
		if controls && !r.actor.writesStatus[kind] {
			continue
		}
		for _, o := range l.index.ofKind(r.object.key.namespace, kind) {
			p.history(&o.own)
		}
	}
}

// root is the topmost owner of an object.
func (o *object) root() *object {
	for depth := 0; depth < 8 && len(o.owners) > 0; depth++ {
		o = o.owners[0]
	}
	return o
}

// selecting lists what selects a pod without owning it: by selector where
// selector and labels are known, else by name.
func (l *Linker) selecting(pod *object) []*object {
	var list []*object
	name := pod.root().key.name
	for _, kind := range selectors {
		near, nearest := 0, []*object(nil)
		for _, s := range l.index.ofKind(pod.key.namespace, kind) {
			if s.described && pod.described {
				if matches(s.selector, pod.labels) {
					list = append(list, s)
				}
				continue
			}
			switch score := affinity(s.key.name, name); {
			case score == 0 || score < near:
			case score == near:
				nearest = append(nearest, s)
			default:
				near, nearest = score, append(nearest[:0], s)
			}
		}
		list = append(list, nearest...)
	}
	return list
}

// affinity says how likely two names belong together: equal names most, then
// the longer the one that begins the other, none the least.
func affinity(a, b string) int {
	if a == b {
		return 1 << 16
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if strings.HasPrefix(b, a) && b[len(a)] == '-' {
		return len(a)
	}
	return 0
}

// guessOwner finds an owner by the way controllers name what they make.
func (l *Linker) guessOwner(o *object) {
	var w *object
	switch o.key.kindRef {
	case kindPods:
		w = guessPodOwner(l.index, o.key)
	case kindReplicaSets:
		w = l.index.parent(o.key, kindDeployments)
	case kindJobs:
		w = l.index.parent(o.key, kindCronJobs)
	case kindRef{"apps", "controllerrevisions"}:
		w = l.index.parent(o.key, kindDaemonSets, kindStatefulSets)
	case kindRef{"discovery.k8s.io", "endpointslices"}:
		w = l.index.parent(o.key, kindServices)
	case kindRef{"", "secrets"}:
		w = l.index.find(objectKey{kindAccounts, o.key.namespace, o.key.name})
		if w == nil {
			w = l.index.parent(o.key, kindAccounts)
		}
	case kindRef{"", "persistentvolumeclaims"}:
		w = l.claimOwner(o)
	}
	if w != nil {
		o.owners, o.ownersGuessed = []*object{w}, true
	}
}

// claimOwner finds the StatefulSet a claim belongs to: its name is that of
// the claim's template, of the set and a number.
func (l *Linker) claimOwner(o *object) *object {
	dash := strings.LastIndexByte(o.key.name, '-')
	if dash <= 0 {
		return nil
	}
	stem := o.key.name[:dash]
	var best *object
	for name, s := range l.index.ofKind(o.key.namespace, kindStatefulSets) {
		if strings.HasSuffix(stem, "-"+name) && (best == nil || len(name) > len(best.key.name)) {
			best = s
		}
	}
	return best
}
