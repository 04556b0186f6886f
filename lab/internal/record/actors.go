package record

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/process"
)

// actor is somebody who sends requests: a person or an account. One command at
// a time, so that its requests tell their command.
type actor struct {
	name   string // as the audit log has it
	access *cluster.Access
	home   string
	agent  string // the program's name in its user agent; kubectl where it is empty
	busy   sync.Mutex
}

// cast is everybody who takes part in a recording.
type cast struct {
	admin    *actor
	people   []*actor
	accounts map[string]*actor // by their name in scenarios
	operator *actor
	newcomer *cluster.Newcomer
}

// account is a service account of automation, and the program that uses it: a
// client is called after its program. Real clusters use many names for the same
// part, so a recording draws one.
type account struct{ namespace, name, program string }

func (a account) user() string { return "system:serviceaccount:" + a.namespace + ":" + a.name }

var accountChoices = map[string][]account{
	"ci":       {{"ci", "deployer", "terraform-provider-kubernetes"}, {"jenkins", "jenkins-agent", "kubectl"}, {"gitlab", "gitlab-runner", "gitlab-agent"}, {"actions", "arc-runner", "helm"}},
	"gitops":   {{"argocd", "argocd-application-controller", "argocd-application-controller"}, {"flux-system", "kustomize-controller", "kustomize-controller"}, {"fleet", "fleet-agent", "fleetagent"}},
	"intruder": {{"legacy", "reporting", "kubectl"}, {"monitoring", "metrics-scraper", "peirates"}, {"web", "frontend", "kdigger"}},
	"operator": {{"operators", "foo-operator", ""}, {"foo-system", "foo-controller-manager", "manager"}, {"samplecontroller", "samplecontroller", ""}},
}

// pick draws an account for every part, always in the same order.
func pickAccounts(rng *rand.Rand) map[string]account {
	out := map[string]account{}
	for _, part := range []string{"ci", "gitops", "intruder", "operator"} {
		choices := accountChoices[part]
		out[part] = choices[rng.IntN(len(choices))]
	}
	return out
}

// newcomerNames are people who have no certificate at first; a recording draws
// one.
var newcomerNames = []string{"nina", "omar@example.com", "oidc:quentin", "dev-team/rosa"}

// setupManifest gives people and accounts their rights. People may do all: what
// is refused in a recording is refused to the intern, by impersonation or by
// admission.
func setupManifest(accounts map[string]account, intern string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, part := range []string{"ci", "gitops", "intruder", "operator"} {
		a := accounts[part]
		if !seen[a.namespace] {
			fmt.Fprintf(&b, "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n", a.namespace)
			seen[a.namespace] = true
		}
		fmt.Fprintf(&b, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s, namespace: %s}\n---\n", a.name, a.namespace)
		fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: %s-%s}\n"+
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"+
			"subjects: [{kind: ServiceAccount, name: %s, namespace: %s}]\n---\n", a.namespace, a.name, a.name, a.namespace)
	}
	fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: developers}\n"+
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"+
		"subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: developers}]\n---\n")
	fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: interns}\n"+
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"+
		"subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: %q}]\n", intern)
	return b.String()
}

// crd is the sample controller's resource, as its project's artifacts have it.
const crd = `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: foos.samplecontroller.k8s.io
  annotations:
    api-approved.kubernetes.io: "unapproved, experimental-only"
spec:
  group: samplecontroller.k8s.io
  scope: Namespaced
  names: {kind: Foo, plural: foos}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              deploymentName: {type: string}
              replicas: {type: integer, minimum: 1, maximum: 10}
          status:
            type: object
            properties:
              availableReplicas: {type: integer}
`

// hire makes everybody who takes part and gives them their rights.
func (r *recorder) hire(ctx context.Context) error {
	c := &cast{accounts: map[string]*actor{}}
	r.cast = c
	var err error
	admin, err := r.cluster.Administrator()
	if err != nil {
		return err
	}
	c.admin = r.newActor(cluster.Admin, admin)
	names := append([]string{}, peopleNames...)
	r.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, n := range names[:r.plan.People] {
		access, err := r.cluster.User(n, "developers")
		if err != nil {
			return err
		}
		c.people = append(c.people, r.newActor(n, access))
	}
	access, err := r.cluster.User("intern", "interns")
	if err != nil {
		return err
	}
	c.accounts["intern"] = r.newActor("intern", access)
	newcomer := newcomerNames[r.rng.IntN(len(newcomerNames))]
	if c.newcomer, err = r.cluster.Newcomer(newcomer, "developers"); err != nil {
		return err
	}
	c.accounts["newcomer"] = r.newActor(newcomer, c.newcomer.Access)
	accounts := pickAccounts(r.rng)
	manifest := setupManifest(accounts, "intern")
	if r.plan.Operator {
		manifest += crd
	}
	if err := r.asAdmin(ctx, manifest, "apply", "-f", "-"); err != nil {
		return err
	}
	for _, part := range []string{"ci", "gitops", "intruder", "operator"} {
		a := accounts[part]
		token, err := r.adminOutput(ctx, "", "-n", a.namespace, "create", "token", a.name, "--duration=24h")
		if err != nil {
			return err
		}
		access, err := r.cluster.Token(strings.TrimSpace(token))
		if err != nil {
			return err
		}
		actor := r.newActor(a.user(), access)
		actor.agent = a.program
		if part == "operator" {
			c.operator = actor
			continue
		}
		c.accounts[part] = actor
	}
	return nil
}

func (r *recorder) newActor(name string, access *cluster.Access) *actor {
	r.homes++
	return &actor{name: name, access: access, home: fmt.Sprintf("%s/home-%d", r.work, r.homes)}
}

// kubectl returns what runs kubectl as an actor.
func (r *recorder) kubectl(a *actor, args ...string) process.Spec {
	return process.Spec{
		Name: "kubectl", Program: a.agent, Path: r.options.Lab, Args: args,
		Env: []string{
			cluster.PartVariable + "=kubectl", "KUBECONFIG=" + a.access.Kubeconfig, "HOME=" + a.home,
			"KUBECTL_KUBERC=false", "TMPDIR=" + r.work,
		},
	}
}

func (r *recorder) asAdmin(ctx context.Context, stdin string, args ...string) error {
	_, err := r.adminOutput(ctx, stdin, args...)
	return err
}

func (r *recorder) adminOutput(ctx context.Context, stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, fmt.Errorf("took longer than a minute"))
	defer cancel()
	out, errs, status, err := process.Output(ctx, r.kubectl(r.cast.admin, args...), strings.NewReader(stdin))
	if err != nil {
		return "", err
	}
	if status != 0 {
		return "", fmt.Errorf("preparing the cluster: kubectl %s ended with status %d: %s", strings.Join(args, " "), status, firstLine(errs))
	}
	return out, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
