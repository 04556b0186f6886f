package parts

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/klog/v2"
	"k8s.io/utils/exec"
)

// simulatedStreams is what exec, attach and port-forward reach in a container
// in which nothing runs. The connections are real, from the client through the
// API server and the kubelet to the streaming server of a container runtime;
// what is said over them is not.
type simulatedStreams struct{}

// Exec takes as long as the command would and ends as it would, as far as the
// simulation knows it; all other commands print their own words and succeed.
func (simulatedStreams) Exec(ctx context.Context, _ string, command []string, _ io.Reader, stdout, _ io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	e, known := commandEnd(command)
	if !known && stdout != nil {
		// A client that has gone needs no answer.
		_, _ = fmt.Fprintln(stdout, strings.Join(command, " "))
	}
	select {
	case <-time.After(e.after):
	case <-ctx.Done():
		return ctx.Err()
	}
	if e.code != 0 {
		return exec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", e.code), Code: int(e.code)}
	}
	return nil
}

// Attach finds a program that says one thing and closes its output.
func (simulatedStreams) Attach(_ context.Context, _ string, _ io.Reader, stdout, _ io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	if stdout != nil {
		_, _ = fmt.Fprintln(stdout, logText)
	}
	return nil
}

// PortForward closes the connection: nobody listens.
func (simulatedStreams) PortForward(_ context.Context, _ string, _ int32, stream io.ReadWriteCloser) error {
	return stream.Close()
}

// serveStreams serves the streams on a free port of the address, until the
// program ends, and returns the server that knows their URLs.
func serveStreams(address string) (streaming.Server, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return nil, fmt.Errorf("listening for the streams of containers: %w", err)
	}
	config := streaming.DefaultConfig
	config.Addr = listener.Addr().String()
	config.BaseURL = &url.URL{Scheme: "http", Host: config.Addr}
	server, err := streaming.NewServer(config, simulatedStreams{})
	if err != nil {
		return nil, fmt.Errorf("making the server for the streams of containers: %w", err)
	}
	go func() {
		web := &http.Server{Handler: server, ReadHeaderTimeout: time.Minute}
		klog.Errorf("the streams of containers ended: %v", web.Serve(listener))
	}()
	return server, nil
}

// Exec returns the URL where the stream of a command is to be had.
func (r *simulatedRuntime) Exec(_ context.Context, req *runtimeapi.ExecRequest) (*runtimeapi.ExecResponse, error) {
	return r.streams.GetExec(req)
}

// Attach returns the URL where the stream of a running container is to be had.
func (r *simulatedRuntime) Attach(_ context.Context, req *runtimeapi.AttachRequest) (*runtimeapi.AttachResponse, error) {
	return r.streams.GetAttach(req)
}

// PortForward returns the URL where the stream of a pod's port is to be had.
func (r *simulatedRuntime) PortForward(_ context.Context, req *runtimeapi.PortForwardRequest) (*runtimeapi.PortForwardResponse, error) {
	return r.streams.GetPortForward(req)
}
