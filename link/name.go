package link

import (
	"strings"
)

// podNames remembers which pod names have turned up, since a pod made with
// generateName has none in the event of its creation below the level
// RequestResponse.
type podNames struct {
	seen  map[objectKey]bool
	fresh map[string][]freshName // by namespace, in the order of linking
}

type freshName struct {
	key objectKey
	at  micros
}

func newPodNames() podNames {
	return podNames{seen: map[objectKey]bool{}, fresh: map[string][]freshName{}}
}

// observe notes a pod's name when it is seen for the first time.
func (n *podNames) observe(it *item) {
	ev := it.event
	if kindOf(ev) != kindPods || ev.Object.Name == "" {
		return
	}
	key := objectKey{kindPods, ev.Object.Namespace, ev.Object.Name}
	if n.seen[key] {
		return
	}
	n.seen[key] = true
	n.fresh[key.namespace] = append(n.fresh[key.namespace], freshName{key, it.received})
}

// claim finds the name of a pod that was created without one: the first new
// one afterwards whose owner is of a kind that the creator controls.
func (n *podNames) claim(x *index, r *request) string {
	list := n.fresh[r.event.Object.Namespace]
	for i, f := range list {
		if f.at <= r.received || x.find(f.key) != nil {
			continue
		}
		owner := guessPodOwner(x, f.key)
		if owner == nil || (len(r.actor.writesStatus) > 0 && !r.actor.writesStatus[owner.key.kindRef]) {
			continue
		}
		n.fresh[r.event.Object.Namespace] = append(list[:i:i], list[i+1:]...)
		return f.key.name
	}
	return ""
}

func (n *podNames) forget(before micros) {
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
