// Package netns puts the lab into a network of its own, so that nothing it
// starts can reach another machine and its ports cannot collide with anybody's.
//
// [Enter] starts this program again in a new network namespace and, in there,
// brings up loopback and a dummy interface that carries the addresses of the
// API server, the nodes and the clients ([Plan]). Where the system allows no
// namespaces, the lab runs on the host's loopback instead; the addresses are
// then all 127.0.0.1.
package netns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/vishvananda/netlink"
)

// marker is the environment variable that tells the program that it is already
// inside, and, with the value userSpace, that it is in a user namespace too.
const (
	marker    = "WHET_LAB_NETNS"
	userSpace = "user"
)

// Plan holds the addresses of a lab.
type Plan struct {
	// Isolated says whether the lab has a network namespace of its own, UserSpace
	// whether that needed a user namespace around it.
	Isolated, UserSpace bool
	// Advertise is the address that the API server gives as its own. Kubernetes
	// refuses a loopback address here.
	Advertise string
	// Listen is the address that servers bind to.
	Listen string
}

// network is the private range whose addresses the dummy interface
// carries: .1 the API server, .11 upward the nodes, .100 upward the clients.
const network = "10.20.0."

// Node returns the address of the n-th node, from 0.
func (p Plan) Node(n int) string {
	if !p.Isolated {
		return "127.0.0.1"
	}
	return fmt.Sprintf("%s%d", network, 11+n%80)
}

// Client returns the address under which the n-th client reaches the API
// server. The kernel gives a connection to a local address that same source
// address, so the audit log shows each client with an address of its own.
func (p Plan) Client(n int) string {
	if !p.Isolated {
		return "127.0.0.1"
	}
	return fmt.Sprintf("%s%d", network, 100+n%150)
}

// Addresses lists every address that a client may use to reach the API server.
func (p Plan) Addresses() []string {
	if !p.Isolated {
		return []string{"127.0.0.1"}
	}
	out := []string{"127.0.0.1"}
	for i := 1; i < 255; i++ {
		out = append(out, fmt.Sprintf("%s%d", network, i))
	}
	return out
}

// hostPlan is the plan without a namespace. 192.0.2.1 is a documentation
// address (RFC 5737): the API server advertises it and nobody connects to it.
func hostPlan() Plan { return Plan{Advertise: "192.0.2.1", Listen: "127.0.0.1"} }

// Enter returns the plan to run with. In the outer process it starts the
// program again inside a namespace, waits, and ends the process with the same
// exit status: it does not return. It returns in the inner process, and in the
// outer one where wanted is false or the system allows no namespace; why then
// says the reason, for the user.
func Enter(wanted bool) (plan Plan, why string, err error) {
	if inside := os.Getenv(marker); inside != "" {
		if err := configure(); err != nil {
			return Plan{}, "", fmt.Errorf("setting up the lab's network: %w", err)
		}
		return Plan{Isolated: true, UserSpace: inside == userSpace, Advertise: network + "1", Listen: "0.0.0.0"}, "", nil
	}
	if !wanted {
		return hostPlan(), "asked not to", nil
	}
	code, err := again()
	if err != nil {
		return hostPlan(), err.Error(), nil //nolint:nilerr // The caller is told why, and goes on without.
	}
	os.Exit(code)
	return Plan{}, "", nil
}

// again runs this program once more in a new network namespace and returns its
// exit status. An error means that the namespace could not be made.
func again() (int, error) {
	// The parent-death signal is tied to the thread that forks.
	runtime.LockOSThread()
	self, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.Command(self, os.Args[1:]...) //nolint:gosec // The lab runs its own parts, and itself.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	kind := "root"
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGTERM}
	if os.Geteuid() != 0 {
		kind = userSpace
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	cmd.Env = append(os.Environ(), marker+"="+kind)
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("making a network namespace: %w", err)
	}
	signals := make(chan os.Signal, 4)
	// A terminal sends an interrupt to the inner process as well, which heeds only
	// the first; kill -INT sends it to this one alone.
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP, os.Interrupt)
	go func() {
		for s := range signals {
			// The process may have ended meanwhile; Wait tells.
			_ = cmd.Process.Signal(s)
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 {
			return 1, nil
		}
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, nil //nolint:nilerr // The namespace was made; that the program then failed is its status.
	}
	return 0, nil
}

// configure brings up loopback and the addresses of the lab. Where the kernel
// has no dummy interfaces, loopback carries the addresses: they are private
// ones either way, and no route leads out.
func configure() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("finding loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bringing up loopback: %w", err)
	}
	carrier := lo
	dummy := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: "lab0"}}
	if err := netlink.LinkAdd(dummy); err == nil {
		if err := netlink.LinkSetUp(dummy); err != nil {
			return fmt.Errorf("bringing up the dummy interface: %w", err)
		}
		carrier = dummy
	}
	for i := 1; i < 255; i++ {
		ip := net.ParseIP(fmt.Sprintf("%s%d", network, i))
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(32, 32)}}
		if err := netlink.AddrAdd(carrier, addr); err != nil {
			return fmt.Errorf("adding the address %s: %w", ip, err)
		}
	}
	return nil
}
