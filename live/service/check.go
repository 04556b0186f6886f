package service

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/whet-k8s/whet/live/alert"
	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/config"
)

// Check reads every file that a configuration names, as Open does: tokens,
// certificates and keys, noise policies and rules of alerts. It neither writes
// nor listens. An error names what Open would fail for.
func Check(c *config.Config) error {
	if m := c.Check(); m != nil {
		return m
	}
	clients, err := openClients(c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	if c.TLS.Certificate != "" {
		if _, err := clients.TLS(c.TLS); err != nil {
			return err
		}
	}
	for i := range c.Clusters {
		if _, err := readPolicy(c.Clusters[i].Policy); err != nil {
			return fmt.Errorf("cluster %s: %w", c.Clusters[i].Name, err)
		}
	}
	if c.Alerts != "" {
		_, err = alert.Read(c.Alerts)
	}
	return err
}

// openClients reads who may do what.
func openClients(c *config.Config, log *slog.Logger) (*auth.Authenticator, error) {
	a, err := auth.New(auth.Config{Clients: c.Clients, ClientCA: c.ClientCA, Log: log})
	if err != nil {
		return nil, fmt.Errorf("reading the credentials of clients: %w", err)
	}
	return a, nil
}
