package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/whet-k8s/whet/lab/internal/policy"
	"github.com/whet-k8s/whet/lab/internal/truth"
)

// encode returns the recording's compressed files by the end of their names.
func (b *Built) encode() (map[string][]byte, error) {
	files := map[string][]byte{}
	var err error
	put := func(name string, lines [][]byte) {
		if err == nil {
			files[name], err = compress(lines)
		}
	}
	put(fileAudit, b.Audit)
	put(fileMetadata, b.Metadata)
	lines, lineErr := jsonLines(b.Lines)
	contexts, contextErr := jsonLines(b.Contexts)
	if err := errors.Join(lineErr, contextErr); err != nil {
		return nil, err
	}
	put(fileTruth, lines)
	put(fileContexts, contexts)
	return files, err
}

func jsonLines[T any](list []T) ([][]byte, error) {
	out := make([][]byte, len(list))
	for i, x := range list {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(x); err != nil {
			return nil, fmt.Errorf("writing the truth: %w", err)
		}
		out[i] = bytes.TrimRight(buf.Bytes(), "\n")
	}
	return out, nil
}

func compress(lines [][]byte) ([]byte, error) {
	var buf bytes.Buffer
	w, err := zstd.NewWriter(&buf, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return nil, fmt.Errorf("compressing a recording: %w", err)
	}
	for _, l := range lines {
		if _, err := w.Write(append(l, '\n')); err != nil {
			return nil, fmt.Errorf("compressing a recording: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing a recording: %w", err)
	}
	return buf.Bytes(), nil
}

// writeFiles puts all files of a recording into dir, or none: it writes them
// beside their places first.
func writeFiles(dir, prefix string, files map[string][]byte) (err error) {
	var beside []string
	defer func() {
		for _, p := range beside {
			// After success the names are gone already.
			_ = os.Remove(p)
		}
	}()
	for name, data := range files {
		path := filepath.Join(dir, "."+prefix+"."+name+".part")
		beside = append(beside, path)
		if err := os.WriteFile(path, data, 0o644); err != nil { //nolint:gosec // A recording is for everyone.
			return fmt.Errorf("writing the recording: %w", err)
		}
	}
	var placed []string
	for name := range files {
		to := filepath.Join(dir, prefix+"."+name)
		if err := os.Rename(filepath.Join(dir, "."+prefix+"."+name+".part"), to); err != nil {
			for _, p := range placed {
				_ = os.Remove(p)
			}
			return fmt.Errorf("writing the recording: %w", err)
		}
		placed = append(placed, to)
	}
	return nil
}

// Read reads a recording's log (audit or metadata), truth and contexts from
// PREFIX.*, compressed or plain.
func Read(prefix, log string) ([][]byte, []truth.Line, []truth.Context, error) {
	lines, err := readLines(prefix + "." + log + ".jsonl")
	if err != nil {
		return nil, nil, nil, err
	}
	truths, err := readAll[truth.Line](prefix + ".truth.jsonl")
	if err != nil {
		return nil, nil, nil, err
	}
	contexts, err := readAll[truth.Context](prefix + ".contexts.jsonl")
	return lines, truths, contexts, err
}

func readAll[T any](path string) ([]T, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(lines))
	for i, l := range lines {
		if err := json.Unmarshal(l, &out[i]); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, i+1, err)
		}
	}
	return out, nil
}

// readLines reads a file of lines, or the same with .zst at its end.
func readLines(path string) ([][]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.Open(path + ".zst")
	}
	if err != nil {
		return nil, fmt.Errorf("reading a recording: %w", err)
	}
	defer f.Close()
	var r io.Reader = f
	if filepath.Ext(f.Name()) == ".zst" {
		z, err := zstd.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
		}
		defer z.Close()
		r = z
	}
	var out [][]byte
	b := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := b.ReadBytes('\n')
		if line = bytes.TrimRight(line, "\n"); len(line) > 0 {
			out = append(out, line)
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
		}
	}
}

// Check proves the recording at PREFIX.* sound, at both levels. The card says
// which policy the audit log is to be held against; without a card none.
func Check(prefix string) error {
	metadata, err := load(policy.Metadata)
	if err != nil {
		return err
	}
	chosen, err := policyOf(prefix + "." + fileCard)
	if err != nil {
		return err
	}
	for log, rules := range map[string]*policy.Policy{"audit": chosen, "metadata": metadata} {
		lines, truths, contexts, err := Read(prefix, log)
		if err != nil {
			return err
		}
		if err := checkLog(lines, truths, contexts, rules); err != nil {
			return fmt.Errorf("the %s log is not sound:\n%w", log, err)
		}
	}
	return nil
}

// policyOf returns the policy that a card names, or nil where there is no card.
func policyOf(card string) (*policy.Policy, error) {
	data, err := os.ReadFile(card)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // No policy is known.
	}
	if err != nil {
		return nil, fmt.Errorf("reading the recording's card: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), cardPolicy); found {
			p, err := load(strings.TrimSpace(strings.TrimSuffix(name, "|")))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", card, err)
			}
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s does not say which audit policy the recording has", card)
}
