package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"github.com/whet-k8s/whet/lab/internal/record"
	"github.com/whet-k8s/whet/lab/internal/replicate"
)

func newReplicateCommand() *cobra.Command {
	var out, prefix, size string
	cmd := &cobra.Command{
		Use:   "replicate PREFIX --size SIZE --out DIR",
		Short: "Make a large log from a recording",
		Long: `Replicate writes the recording at PREFIX.* again and again, each time later and
with fresh ids, until the audit log has the size (in bytes, or with K, M or G),
together with its truth. It measures speed; its accuracy is the recording's.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return errors.New("--out is missing: the folder for the large recording")
			}
			bytes, err := parseSize(size)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			copies, err := replicateTo(ctx, args[0], out, prefix, bytes)
			if err != nil {
				return err
			}
			progress(fmt.Sprintf("wrote %d copies of %s to %s", copies, args[0], filepath.Join(out, prefix)))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "folder for the large recording")
	f.StringVar(&prefix, "prefix", "large", "what the files' names start with")
	f.StringVar(&size, "size", "1G", "least size of the audit log, uncompressed")
	return cmd
}

// parseSize reads a number of bytes such as 500M.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMG")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit, known := map[string]int64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[text[len(digits):]]
	if err != nil || !known || n <= 0 || n > 1<<50/unit {
		return 0, fmt.Errorf("--size %q is no size such as 500M or 2G", text)
	}
	return n * unit, nil
}

// replicateTo writes the large recording, or, on an error or an interrupt,
// nothing.
func replicateTo(ctx context.Context, from, dir, prefix string, size int64) (copies int, err error) {
	audit, lines, contexts, err := record.Read(from, "audit")
	if err != nil {
		return 0, err
	}
	metadata, _, _, err := record.Read(from, "metadata")
	if err != nil {
		return 0, err
	}
	copier, err := replicate.New(&replicate.Recording{Audit: audit, Metadata: metadata, Lines: lines, Contexts: contexts})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", from, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // A recording is for everyone.
		return 0, fmt.Errorf("making the folder for the large recording: %w", err)
	}
	files := map[string]*part{}
	for _, name := range []string{"audit", "metadata", "truth", "contexts"} {
		p, err := newPart(dir, prefix, name)
		if err != nil {
			return 0, err
		}
		defer p.drop()
		files[name] = p
	}
	sink := replicate.Sink{Audit: files["audit"], Metadata: files["metadata"], Truth: files["truth"], Contexts: files["contexts"]}
	if copies, err = copier.Write(ctx, sink, size, encodeLine); err != nil {
		return 0, err
	}
	return copies, placeAll(files)
}

// placeAll gives all files their names, or none.
func placeAll(files map[string]*part) error {
	for _, p := range files {
		if err := p.close(); err != nil {
			return err
		}
	}
	var placed []string
	for _, p := range files {
		if err := os.Rename(p.file.Name(), p.to); err != nil {
			for _, to := range placed {
				_ = os.Remove(to) // The first error says why.
			}
			return fmt.Errorf("writing the large recording: %w", err)
		}
		placed = append(placed, p.to)
	}
	return nil
}

func encodeLine(x any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// part is a compressed file that is being written beside its place.
type part struct {
	io.Writer
	zip  *zstd.Encoder
	file *os.File
	to   string
}

func newPart(dir, prefix, name string) (*part, error) {
	to := filepath.Join(dir, prefix+"."+name+".jsonl.zst")
	f, err := os.Create(to + ".part")
	if err != nil {
		return nil, fmt.Errorf("writing the large recording: %w", err)
	}
	z, err := zstd.NewWriter(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("writing the large recording: %w", err)
	}
	return &part{Writer: z, zip: z, file: f, to: to}, nil
}

// close ends the file, which keeps the name that it was written under.
func (p *part) close() error {
	if err := errors.Join(p.zip.Close(), p.file.Close()); err != nil {
		return fmt.Errorf("writing the large recording: %w", err)
	}
	return nil
}

// drop removes what was not placed.
func (p *part) drop() {
	p.file.Close()
	// A placed file has another name by now.
	_ = os.Remove(p.file.Name())
}
