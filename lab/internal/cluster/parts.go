package cluster

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/whet-k8s/whet/lab/internal/pki"
	"github.com/whet-k8s/whet/lab/internal/process"
)

// kubeletPortStep keeps the nodes' ports apart where all share one address.
const kubeletPortStep = 10

// keys are the credentials of the control plane.
type keys struct {
	server, kubeletClient, frontProxy, frontProxyCA, accounts pki.Pair
	controllers, scheduler                                    string   // kubeconfig files
	nodes                                                     []string // kubeconfig files
	serving                                                   []pki.Pair
}

// makeKeys makes every certificate, key and kubeconfig file.
func (c *Cluster) makeKeys() (*keys, error) {
	dir := c.path("pki")
	var err error
	if c.ca, err = pki.NewAuthority(dir, "kubernetes-ca"); err != nil {
		return nil, err
	}
	proxyCA, err := pki.NewAuthority(dir, "front-proxy-ca")
	if err != nil {
		return nil, err
	}
	k := &keys{frontProxyCA: proxyCA.Pair}
	hosts := append([]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost", "10.96.0.1"}, c.config.Plan.Addresses()...)
	if k.server, err = c.ca.Server("kube-apiserver", hosts...); err != nil {
		return nil, err
	}
	if k.kubeletClient, err = c.ca.Client("kube-apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"); err != nil {
		return nil, err
	}
	if k.frontProxy, err = proxyCA.Client("front-proxy-client", "front-proxy-client"); err != nil {
		return nil, err
	}
	if k.accounts, err = pki.SigningKey(dir, "service-accounts"); err != nil {
		return nil, err
	}
	if c.admin, err = c.ca.Client("admin", Admin, "system:masters"); err != nil {
		return nil, err
	}
	if c.http, err = c.newHTTP(c.admin); err != nil {
		return nil, err
	}
	if k.controllers, err = c.component("kube-controller-manager", "system:kube-controller-manager", c.config.Plan.Client(0)); err != nil {
		return nil, err
	}
	if k.scheduler, err = c.component("kube-scheduler", "system:kube-scheduler", c.config.Plan.Client(0)); err != nil {
		return nil, err
	}
	for i, n := range c.config.Nodes {
		file, err := c.component("node-"+n, "system:node:"+n, c.config.Plan.Node(i), "system:nodes")
		if err != nil {
			return nil, err
		}
		k.nodes = append(k.nodes, file)
		serving, err := c.ca.Server("kubelet-"+filepath.Base(n), n, c.config.Plan.Node(i))
		if err != nil {
			return nil, err
		}
		k.serving = append(k.serving, serving)
	}
	return k, nil
}

func (c *Cluster) component(file, user, address string, groups ...string) (string, error) {
	pair, err := c.ca.Client(file, user, groups...)
	if err != nil {
		return "", err
	}
	return c.writeKubeconfig(file, address, credentials{pair: pair})
}

// part returns the specification of a part of the lab's binary. Its name is
// what its log file and errors are called.
func (c *Cluster) part(name, part string, args ...string) process.Spec {
	return process.Spec{
		Name: name, Program: part, Path: c.config.Lab, Args: args,
		Env: []string{PartVariable + "=" + part, "TMPDIR=" + c.path("tmp"), "HOME=" + c.path("tmp")},
	}
}

// PartVariable is the environment variable that makes the lab's binary become a
// part. It is a variable, not an argument, because Kubernetes clients take
// their user agent from the program's name and some parts read all arguments.
const PartVariable = "WHET_LAB_PART"

func (c *Cluster) etcd() process.Spec {
	return c.part("etcd", "etcd",
		"--data-dir="+c.path("etcd"),
		fmt.Sprintf("--listen-client-url=http://127.0.0.1:%d", portEtcd),
		fmt.Sprintf("--listen-peer-url=http://127.0.0.1:%d", portEtcdPeer))
}

func (c *Cluster) apiServer(k *keys) process.Spec {
	spec := c.part("kube-apiserver", "kube-apiserver",
		"--advertise-address="+c.config.Plan.Advertise,
		"--bind-address="+c.config.Plan.Listen,
		"--secure-port="+strconv.Itoa(portAPIServer),
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", portEtcd),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--client-ca-file="+c.ca.Cert,
		"--tls-cert-file="+k.server.Cert, "--tls-private-key-file="+k.server.Key,
		"--kubelet-client-certificate="+k.kubeletClient.Cert, "--kubelet-client-key="+k.kubeletClient.Key,
		"--kubelet-certificate-authority="+c.ca.Cert,
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file="+k.accounts.Cert, "--service-account-signing-key-file="+k.accounts.Key,
		"--requestheader-client-ca-file="+k.frontProxyCA.Cert,
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+k.frontProxy.Cert, "--proxy-client-key-file="+k.frontProxy.Key,
		"--cert-dir="+c.path("pki"),
		"--audit-policy-file="+c.path("policy.yaml"),
		"--audit-log-path="+c.AuditLog(),
		"--audit-log-maxsize=0",
		// A lab's disk may be slow, and an event that waits longer than this is
		// logged twice.
		"--request-timeout=2m")
	if c.config.AuditWebhook != "" {
		spec.Args = append(spec.Args, "--audit-webhook-config-file="+c.config.AuditWebhook)
	}
	if c.config.AuditWait > 0 {
		spec.Args = append(spec.Args, "--audit-webhook-batch-max-wait="+c.config.AuditWait.String())
	}
	return spec
}

func (c *Cluster) controllerManager(k *keys) process.Spec {
	return c.part("kube-controller-manager", "kube-controller-manager",
		"--kubeconfig="+k.controllers, "--authentication-kubeconfig="+k.controllers, "--authorization-kubeconfig="+k.controllers,
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(portControllers),
		"--cert-dir="+c.path("pki"),
		"--use-service-account-credentials=true",
		"--controllers=*,bootstrap-signer-controller,token-cleaner-controller",
		"--root-ca-file="+c.ca.Cert,
		"--service-account-private-key-file="+k.accounts.Key,
		"--cluster-signing-cert-file="+c.ca.Cert, "--cluster-signing-key-file="+c.ca.Key,
		"--requestheader-client-ca-file="+k.frontProxyCA.Cert,
		"--enable-hostpath-provisioner=true",
		"--leader-elect=true")
}

func (c *Cluster) scheduler(k *keys) process.Spec {
	return c.part("kube-scheduler", "kube-scheduler",
		"--kubeconfig="+k.scheduler, "--authentication-kubeconfig="+k.scheduler, "--authorization-kubeconfig="+k.scheduler,
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(portScheduler),
		"--cert-dir="+c.path("pki"),
		"--leader-elect=true")
}

// kubeletName is what a node's kubelet and its log are called.
func kubeletName(node string) string { return "kubelet-" + filepath.Base(node) }

func (c *Cluster) kubelet(k *keys, n int, name string) process.Spec {
	spec := c.part(kubeletName(name), "kubelet",
		"--name="+name, "--kubeconfig="+k.nodes[n],
		"--tls-cert-file="+k.serving[n].Cert, "--tls-private-key-file="+k.serving[n].Key,
		"--address="+c.config.Plan.Node(n), "--port="+strconv.Itoa(portKubelet+n*kubeletPortStep),
		"--node-label=topology.kubernetes.io/zone="+string(rune('a'+n%3)))
	return spec
}

// Address returns the host and port under which the n-th client reaches the
// API server.
func (c *Cluster) address(host string) string {
	return "https://" + net.JoinHostPort(host, strconv.Itoa(portAPIServer))
}
