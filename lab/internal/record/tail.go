package record

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/whet-k8s/whet/lab/internal/truth"
)

// tail follows the audit log while the API server writes it and remembers when
// something last happened: for each token, and in the whole cluster.
type tail struct {
	path string

	mu     sync.Mutex
	tokens map[string]time.Time
	any    time.Time // the last line that is no background
	err    error
}

func newTail(path string) *tail { return &tail{path: path, tokens: map[string]time.Time{}} }

// follow reads the log until the context ends.
func (t *tail) follow(ctx context.Context) {
	if err := t.read(ctx); err != nil && ctx.Err() == nil {
		t.mu.Lock()
		t.err = err
		t.mu.Unlock()
	}
}

func (t *tail) read(ctx context.Context) error {
	f, err := os.Open(t.path)
	if err != nil {
		return fmt.Errorf("following the audit log: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	var part []byte
	for {
		chunk, err := r.ReadBytes('\n')
		part = append(part, chunk...)
		if err == nil {
			if err := t.note(part); err != nil {
				return err
			}
			part = part[:0]
			continue
		}
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("following the audit log: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(30 * time.Millisecond):
		}
	}
}

func (t *tail) note(line []byte) error {
	e, err := truth.ReadEvent(line)
	if err != nil {
		return err
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, token := range truth.FindTokens(line) {
		t.tokens[token] = now
	}
	if !e.Background() {
		t.any = now
	}
	return nil
}

// since returns how long ago something last happened with one of the tokens,
// or, without tokens, anywhere.
func (t *tail) since(tokens []string) (time.Duration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.any
	if len(tokens) > 0 {
		last = time.Time{}
		for _, token := range tokens {
			if at := t.tokens[token]; at.After(last) {
				last = at
			}
		}
	}
	return time.Since(last), t.err
}

// quiet waits until nothing has happened with the tokens for the duration, at
// least since now. It gives up waiting after the limit and then says so with
// false: something in the cluster does not come to rest.
func (t *tail) quiet(ctx context.Context, tokens []string, d, limit time.Duration) (bool, error) {
	begin := time.Now()
	for {
		idle, err := t.since(tokens)
		if err != nil {
			return false, err
		}
		waited := time.Since(begin)
		if idle >= d && waited >= d {
			return true, nil
		}
		if waited > limit {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
