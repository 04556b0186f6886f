// Package parts holds the programs of a Kubernetes cluster that the lab's one
// binary can become: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, kubelet (with a fake container runtime) and kubectl. Each
// runs as a process of its own, started by name, so that one part's failure,
// flags and log stay its own:
//
//	lab part kube-apiserver --etcd-servers=http://127.0.0.1:2379 ...
//
// The components are the real ones from k8s.io/kubernetes; only the kubelet's
// container runtime is a simulation (see [Kubelet]). Nothing else in the lab
// imports k8s.io/kubernetes, so the tests of the other packages build quickly.
package parts

import (
	"fmt"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register" // the components' --logging-format=json
	"k8s.io/component-base/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// Names of the parts, as [Run] takes them.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Kubelet           = "kubelet"
	Kubectl           = "kubectl"
)

// Run becomes the named part with its command-line arguments (without the
// program's name) and returns its exit status when it ends. An unknown name is
// an error that lists the known ones.
func Run(name string, args []string) (int, error) {
	commands := map[string]func() *cobra.Command{
		Etcd:              newEtcdCommand,
		APIServer:         apiserver.NewAPIServerCommand,
		ControllerManager: controllers.NewControllerManagerCommand,
		Scheduler:         func() *cobra.Command { return scheduler.NewSchedulerCommand() },
		Kubelet:           newKubeletCommand,
		Kubectl:           kubectl.NewDefaultKubectlCommand,
	}
	build, ok := commands[name]
	if !ok {
		known := make([]string, 0, len(commands))
		for n := range commands {
			known = append(known, n)
		}
		sort.Strings(known)
		return 2, fmt.Errorf("no part is called %q; the parts are %s", name, strings.Join(known, ", "))
	}
	cmd := build()
	cmd.SetArgs(args)
	if name == Kubectl {
		// kubectl prints its own errors and ends the process with its own status.
		if err := cli.RunNoErrOutput(cmd); err != nil {
			return 1, nil //nolint:nilerr // kubectl has printed it already.
		}
		return 0, nil
	}
	return cli.Run(cmd), nil
}

// KubernetesVersion returns the version that the parts were built from, as the
// API server reports it, for example v1.37.2.
func KubernetesVersion() string { return version.Get().GitVersion }
