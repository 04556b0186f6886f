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

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/evaluate"
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

// Labelled gives labelled logs, each file of an argument as a log of its own: a
// file, a folder or a pattern as audit.Open takes them.
func Labelled(args []string, key string) ([]Source, error) {
	reader, err := audit.Open(args, audit.Options{})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var sources []Source
	for _, name := range reader.Sources() {
		if name == audit.Stdin {
			return nil, errors.New("training reads its logs from files, not from standard input")
		}
		sources = append(sources, Source{Name: name, Log: name, Key: key})
	}
	return sources, nil
}

// Files lists the files that the source is read from.
func (s Source) Files() ([]string, error) {
	files := []string{s.Log}
	if s.Truth == "" {
		return files, nil
	}
	of, err := evaluate.FilesOf(s.Truth)
	if err != nil {
		return nil, err
	}
	files = append(files, of.Contexts, of.Truth)
	if of.Log != "" {
		files = append(files, of.Log)
	}
	return files, nil
}

// hashes gives the hashes of the source's files as they lie on disk, "" where
// the log is not one file.
func (s Source) hashes() (model.TrainingData, error) {
	about := model.TrainingData{Name: s.Name}
	names := map[*string]string{&about.SHA256: s.Log}
	if s.Truth != "" {
		of, err := evaluate.FilesOf(s.Truth)
		if err != nil {
			return about, err
		}
		names[&about.Truth], names[&about.Contexts] = of.Truth, of.Contexts
	}
	for to, name := range names {
		var err error
		if *to, err = hashOf(name); err != nil {
			return about, err
		}
	}
	return about, nil
}

// hashOf gives the SHA-256 of a file in hex, "" of what is no file.
func hashOf(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return "", nil //nolint:nilerr // A pattern or a folder has no hash, and is no error.
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("hashing %s: %w", name, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hashing %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
