package train

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/model"
)

// truthSuffix ends the file with a recording's truth.
const truthSuffix = ".truth.jsonl"

// levels are the logs of a recording: with bodies, and at Metadata level.
func levels() []string { return []string{"audit", "metadata"} }

// Recordings gives the logs of recordings: of the one with the prefix, of all
// in the folder, or of all that the pattern fits. A recording has one or two
// logs, PREFIX.audit.jsonl with bodies and PREFIX.metadata.jsonl, each of which
// may be compressed. It fails where there is none.
func Recordings(name string) ([]Source, error) {
	prefixes := []string{name}
	switch info, err := os.Stat(name); {
	case err == nil && info.IsDir():
		if prefixes, err = recordingsIn(filepath.Join(name, "*")); err != nil {
			return nil, err
		}
	case strings.ContainsAny(name, "*?["):
		if prefixes, err = recordingsIn(name); err != nil {
			return nil, err
		}
	}
	var sources []Source
	for _, prefix := range prefixes {
		found, err := logsOf(prefix)
		if err != nil {
			return nil, err
		}
		sources = append(sources, found...)
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("no recording is at %s: it would be %[1]s.audit.jsonl or %[1]s.metadata.jsonl, and %[1]s%s", name, truthSuffix)
	}
	return sources, nil
}

// recordingsIn gives the prefixes of the recordings that a pattern fits.
func recordingsIn(pattern string) ([]string, error) {
	var prefixes []string
	for _, end := range []string{truthSuffix, truthSuffix + ".zst"} {
		files, err := filepath.Glob(pattern + end)
		if err != nil {
			return nil, fmt.Errorf("the pattern %s: %w", pattern, err)
		}
		for _, f := range files {
			prefixes = append(prefixes, strings.TrimSuffix(f, end))
		}
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes), nil
}

// logsOf gives the logs of the recording with the prefix.
func logsOf(prefix string) ([]Source, error) {
	var sources []Source
	for _, level := range levels() {
		for _, end := range []string{".jsonl", ".jsonl.zst"} {
			log := prefix + "." + level + end
			_, err := os.Stat(log)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("looking for the logs of %s: %w", prefix, err)
			}
			name := filepath.Base(prefix)
			sources = append(sources, Source{Name: name + "." + level, Log: log, Truth: prefix, Group: name})
			break
		}
	}
	return sources, nil
}

// Data says what a model was trained on: the log's name, the number of its
// lines with labels, and the hash of the file as it lies on disk, "" where it
// is not one file.
func (s Source) Data(sequence *model.Sequence) (model.TrainingData, error) {
	d := model.TrainingData{Name: s.Name, Lines: sequence.Labelled()}
	info, err := os.Stat(s.Log)
	if err != nil || !info.Mode().IsRegular() {
		return d, nil //nolint:nilerr // A pattern or a folder has no hash, and is no error.
	}
	f, err := os.Open(s.Log)
	if err != nil {
		return d, fmt.Errorf("hashing the log: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return d, fmt.Errorf("hashing the log %s: %w", s.Log, err)
	}
	d.SHA256 = hex.EncodeToString(h.Sum(nil))
	return d, nil
}
