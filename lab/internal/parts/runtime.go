package parts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	apitest "k8s.io/cri-api/pkg/apis/testing"
	"k8s.io/cri-streaming/pkg/streaming"
)

// fakeRuntime is what a kubelet of the lab runs containers on. Nothing runs,
// but what an audit log shows of containers is simulated: every pod gets an
// address of its own, a container whose command is `sleep N`, `true` or
// `false` ends as that command would and has written one line to its log, an
// image whose name says that it does not exist cannot be pulled, and streams
// into containers lead to [simulatedStreams].
type fakeRuntime struct {
	runtime *simulatedRuntime
	images  internalapi.ImageManagerService
}

// newFakeRuntime returns the runtime of the node with the address. The kubelet
// calls it directly, where a real one would be reached by gRPC.
func newFakeRuntime(address string) (*fakeRuntime, error) {
	streams, err := serveStreams(address)
	if err != nil {
		return nil, err
	}
	fake := apitest.NewFakeRuntimeService()
	fake.FakeStatus = &runtimeapi.RuntimeStatus{
		Conditions: []*runtimeapi.RuntimeCondition{
			{Type: runtimeapi.RuntimeReady, Status: true},
			{Type: runtimeapi.NetworkReady, Status: true},
		},
	}
	return &fakeRuntime{
		runtime: &simulatedRuntime{RuntimeService: fake, fake: fake, streams: streams, node: net.ParseIP(address), ends: map[string]end{}},
		images:  simulatedImages{apitest.NewFakeImageService()},
	}, nil
}

// end says how long a container runs and with which status it exits.
type end struct {
	after time.Duration
	code  int32
}

// simulatedRuntime is the fake runtime as the kubelet calls it, and the place
// where containers end.
type simulatedRuntime struct {
	internalapi.RuntimeService
	fake    *apitest.FakeRuntimeService
	streams streaming.Server
	node    net.IP

	mu   sync.Mutex
	pods int
	ends map[string]end // by container id
}

// RunPodSandbox starts a sandbox and gives it an address that no other pod has.
func (r *simulatedRuntime) RunPodSandbox(ctx context.Context, config *runtimeapi.PodSandboxConfig, handler string) (string, error) {
	id, err := r.RuntimeService.RunPodSandbox(ctx, config, handler)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	ip := podIP(r.node, r.pods)
	r.pods++
	r.mu.Unlock()
	r.fake.Lock()
	defer r.fake.Unlock()
	if s, ok := r.fake.Sandboxes[id]; ok {
		// The network status is replaced, not changed: a reader may hold the old one.
		s.Network = &runtimeapi.PodSandboxNetworkStatus{Ip: ip}
	}
	return id, nil
}

// podIP gives the n-th pod of a node an address in 10.244.0.0/16, as a network
// plugin would.
func podIP(node net.IP, n int) string {
	last := byte(0)
	if v4 := node.To4(); v4 != nil {
		last = v4[3]
	}
	return net.IPv4(10, 244, last, byte(2+n%250)).String()
}

// CreateContainer notes how the container will end and where its log is.
func (r *simulatedRuntime) CreateContainer(ctx context.Context, sandbox string, config *runtimeapi.ContainerConfig, pod *runtimeapi.PodSandboxConfig) (string, error) {
	id, err := r.RuntimeService.CreateContainer(ctx, sandbox, config, pod)
	if err != nil {
		return "", err
	}
	if e, ok := commandEnd(append(append([]string{}, config.Command...), config.Args...)); ok {
		r.mu.Lock()
		r.ends[id] = e
		r.mu.Unlock()
	}
	path := filepath.Join(pod.LogDirectory, config.LogPath)
	r.fake.Lock()
	defer r.fake.Unlock()
	if c, ok := r.fake.Containers[id]; ok {
		c.LogPath = path
	}
	return id, writeLog(path, time.Now())
}

// logText is all that a simulated container says.
const logText = "ready"

// writeLog writes a container's log in the form in which kubelets read it
// (https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md).
func writeLog(path string, now time.Time) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("making the folder for a container's log: %w", err)
	}
	line := now.UTC().Format(time.RFC3339Nano) + " stdout F " + logText + "\n"
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		return fmt.Errorf("writing a container's log: %w", err)
	}
	return nil
}

// StartContainer starts a container and the clock of its end.
func (r *simulatedRuntime) StartContainer(ctx context.Context, id string) error {
	if err := r.RuntimeService.StartContainer(ctx, id); err != nil {
		return err
	}
	r.mu.Lock()
	e, ok := r.ends[id]
	delete(r.ends, id)
	r.mu.Unlock()
	if ok {
		time.AfterFunc(e.after, func() { r.exit(id, e.code) })
	}
	return nil
}

// exit ends a running container with the status code.
func (r *simulatedRuntime) exit(id string, code int32) {
	r.fake.Lock()
	defer r.fake.Unlock()
	c, ok := r.fake.Containers[id]
	if !ok || c.State != runtimeapi.ContainerState_CONTAINER_RUNNING {
		return
	}
	c.State = runtimeapi.ContainerState_CONTAINER_EXITED
	c.FinishedAt = time.Now().UnixNano()
	c.ExitCode = code
	c.Reason = "Completed"
	if code != 0 {
		c.Reason = "Error"
	}
}

// commandEnd says how a command ends, as far as the simulation knows it. All
// other commands, and the empty one, run until they are stopped.
func commandEnd(command []string) (end, bool) {
	if len(command) == 0 {
		return end{}, false
	}
	switch command[0] {
	case "true":
		return end{}, true
	case "false":
		return end{code: 1}, true
	case "sleep":
		if len(command) != 2 {
			return end{}, false
		}
		seconds, err := strconv.ParseFloat(command[1], 64)
		// ParseFloat reads infinity too, with which a container never ends.
		if err != nil || !(seconds >= 0 && seconds <= float64(math.MaxInt32)) {
			return end{}, false
		}
		return end{after: time.Duration(seconds * float64(time.Second))}, true
	}
	return end{}, false
}

// simulatedImages pulls every image but those called so that they cannot exist.
type simulatedImages struct {
	internalapi.ImageManagerService
}

// PullImage fails for an image whose name or tag holds does-not-exist.
func (s simulatedImages) PullImage(ctx context.Context, image *runtimeapi.ImageSpec, auth *runtimeapi.AuthConfig, pod *runtimeapi.PodSandboxConfig) (string, error) {
	if strings.Contains(image.GetImage(), "does-not-exist") {
		return "", fmt.Errorf("pulling %q: %w", image.GetImage(), errors.New("not found"))
	}
	return s.ImageManagerService.PullImage(ctx, image, auth, pod)
}
