package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	clientset "k8s.io/client-go/kubernetes"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubemark"
)

// kubeletOptions are what a lab's kubelet needs to know.
type kubeletOptions struct {
	name, kubeconfig, address string
	certificate, key          string
	port                      int
	labels                    []string
}

// newKubeletCommand returns kubemark's hollow kubelet: the real kubelet, with
// the container runtime, cAdvisor, mounts and cgroups replaced by fakes.
func newKubeletCommand() *cobra.Command {
	var o kubeletOptions
	cmd := &cobra.Command{
		Use:   Kubelet,
		Short: "Run a kubelet with a fake container runtime",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runKubelet(cmd.Context(), o)
		},
		SilenceUsage: true,
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "the node's name")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "file with the API server's address and the node's credentials")
	f.StringVar(&o.address, "address", "127.0.0.1", "IP address to listen on")
	f.IntVar(&o.port, "port", 10250, "port to listen on")
	f.StringVar(&o.certificate, "tls-cert-file", "", "file with the certificate to serve with")
	f.StringVar(&o.key, "tls-private-key-file", "", "file with the certificate's key")
	f.StringArrayVar(&o.labels, "node-label", nil, "KEY=VALUE to register the node with")
	return cmd
}

func runKubelet(ctx context.Context, o kubeletOptions) error {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return fmt.Errorf("kubelet %s: reading %s: %w", o.name, o.kubeconfig, err)
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.QPS, config.Burst = 50, 100
	client, err := clientset.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("kubelet %s: making a client: %w", o.name, err)
	}
	labels := map[string]string{}
	for _, l := range o.labels {
		k, v, ok := strings.Cut(l, "=")
		if !ok {
			return fmt.Errorf("kubelet %s: --node-label %q is not KEY=VALUE", o.name, l)
		}
		labels[k] = v
	}
	flags, settings := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{
		NodeName: o.name, KubeletPort: o.port, MaxPods: 110, NodeLabels: labels,
	})
	if err := ownFolder(flags, settings); err != nil {
		return fmt.Errorf("kubelet %s: %w", o.name, err)
	}
	settings.Address = o.address
	settings.TLSCertFile, settings.TLSPrivateKeyFile = o.certificate, o.key
	// Nobody asks this name server, but without one every pod gets a warning.
	settings.ClusterDNS, settings.ClusterDomain = []string{"10.96.0.10"}, "cluster.local"
	flags.NodeIP = o.address
	heartbeat := *config
	heartbeat.Timeout = settings.NodeStatusUpdateFrequency.Duration
	heartbeat.QPS = -1
	beats, err := clientset.NewForConfig(&heartbeat)
	if err != nil {
		return fmt.Errorf("kubelet %s: making a heartbeat client: %w", o.name, err)
	}
	fake, err := newFakeRuntime(o.address)
	if err != nil {
		return fmt.Errorf("kubelet %s: %w", o.name, err)
	}
	hollow := kubemark.NewHollowKubelet(flags, settings, client, beats,
		&cadvisortest.Fake{NodeName: o.name}, fake.images, fake.runtime, cm.NewStubContainerManager())
	// Without certificates a kubelet serves plain HTTP, to which the API server
	// does not speak: exec, logs and port-forward would all fail.
	if hollow.KubeletDeps.TLSOptions, err = app.InitializeTLS(ctx, flags, settings); err != nil {
		return fmt.Errorf("kubelet %s: reading its certificate: %w", o.name, err)
	}
	if rec := eventRecorder(ctx, client, o.name); rec != nil {
		hollow.KubeletDeps.Recorder = rec
	}
	hollow.Run(ctx)
	return errors.New("the kubelet ended by itself")
}

// ownFolder moves the kubelet's folders from where kubemark makes them, in /tmp,
// to the folder for temporary files, which goes with the cluster.
func ownFolder(flags *options.KubeletFlags, settings *kubeletconfig.KubeletConfiguration) error {
	if err := os.RemoveAll(flags.RootDirectory); err != nil {
		return fmt.Errorf("removing kubemark's folder: %w", err)
	}
	root, err := os.MkdirTemp("", "kubelet-")
	if err != nil {
		return fmt.Errorf("making its folder: %w", err)
	}
	flags.RootDirectory = root
	settings.StaticPodPath, settings.PodLogsDir = filepath.Join(root, "manifests"), filepath.Join(root, "pod-logs")
	for _, dir := range []string{settings.StaticPodPath, settings.PodLogsDir} {
		if err := os.Mkdir(dir, 0o750); err != nil {
			return fmt.Errorf("making its folder: %w", err)
		}
	}
	return nil
}

// eventRecorder returns a recorder that writes Events as kubelets do, or nil
// where the kubelet could not start with one: beside a real recorder it reads
// the kernel's log, which not every system allows.
func eventRecorder(ctx context.Context, client clientset.Interface, node string) record.EventRecorderLogger {
	f, err := os.Open("/dev/kmsg")
	if err != nil {
		klog.Warningf("no Events from this kubelet: %v", err)
		return nil
	}
	f.Close()
	b := record.NewBroadcaster(record.WithContext(ctx))
	b.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return b.NewRecorder(legacyscheme.Scheme, v1.EventSource{Component: "kubelet", Host: node})
}
