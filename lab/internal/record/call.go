package record

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/scenario"
)

// call sends a request as a program would, and returns its text for the list of
// commands, a status as a command has it, and what the API server said against
// it.
func call(ctx context.Context, access *cluster.Access, c *scenario.Call) (text string, status int, why string, err error) {
	text = c.Method + " " + c.Path
	req, err := http.NewRequestWithContext(ctx, c.Method, access.Server+c.Path, strings.NewReader(c.Body))
	if err != nil {
		return text, -1, "", fmt.Errorf("making the request: %w", err)
	}
	kind := c.ContentType
	if kind == "" {
		kind = "application/json"
	}
	if c.Body != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept", "application/json")
	if c.UserAgent != "" {
		req.Header.Set("User-Agent", c.UserAgent)
	}
	if access.Token != "" {
		req.Header.Set("Authorization", "Bearer "+access.Token)
	}
	resp, err := access.HTTP.Do(req)
	if err != nil {
		return text, -1, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return text, -1, "", fmt.Errorf("reading the answer: %w", err)
	}
	if resp.StatusCode >= 400 {
		return text, 1, resp.Status + " " + firstLine(string(body)), nil
	}
	return text, 0, "", nil
}
