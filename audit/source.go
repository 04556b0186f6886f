package audit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Stdin is the argument that stands for standard input.
const Stdin = "-"

// sniffBytes is how much of a folder's member is read to see whether it is an
// audit log, after decompression.
const sniffBytes = 64 << 10

// Skipped is a member of a folder that is not read, and why.
type Skipped struct {
	Name, Reason string
}

// source is one input in the order of reading.
type source struct {
	name string // as Position.Source shows it
	path string // "" for standard input
	size int64  // bytes on disk, 0 where that says nothing
}

// expand turns a user's arguments into sources: files, patterns, folders and
// "-". Arguments keep their order; the members of a pattern or a folder are
// ordered oldest first.
func expand(args []string) ([]source, []Skipped, error) {
	var sources []source
	var skipped []Skipped
	for _, arg := range args {
		found, left, err := expandOne(arg)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, found...)
		skipped = append(skipped, left...)
	}
	if len(sources) == 0 {
		return nil, nil, errors.New("no input: name a file, a folder, a pattern, or - for standard input")
	}
	return sources, skipped, nil
}

func expandOne(arg string) ([]source, []Skipped, error) {
	if arg == Stdin {
		return []source{{name: Stdin}}, nil, nil
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return expandFolder(arg)
	case err == nil:
		return []source{fileSource(arg, arg, info)}, nil, nil
	case !strings.ContainsAny(arg, "*?["):
		return nil, nil, fmt.Errorf("opening the log: %w", err)
	}
	matches, err := filepath.Glob(arg)
	if err != nil {
		return nil, nil, fmt.Errorf("pattern %s: %w", strconv.Quote(arg), err)
	}
	if len(matches) == 0 {
		return nil, nil, fmt.Errorf("pattern %s matches no file", strconv.Quote(arg))
	}
	SortRotated(matches)
	var sources []source
	var skipped []Skipped
	for _, match := range matches {
		info, err := os.Stat(match)
		if err != nil {
			return nil, nil, fmt.Errorf("opening the log: %w", err)
		}
		if info.IsDir() {
			skipped = append(skipped, Skipped{match, "a folder"})
			continue
		}
		sources = append(sources, fileSource(match, match, info))
	}
	if len(sources) == 0 {
		return nil, nil, fmt.Errorf("pattern %s matches no file, only folders", strconv.Quote(arg))
	}
	return sources, skipped, nil
}

func fileSource(name, path string, info os.FileInfo) source {
	s := source{name: name, path: path}
	if info.Mode().IsRegular() {
		s.size = info.Size()
	}
	return s
}

// expandFolder takes the files of a folder that hold audit events. What it
// leaves out it names; it does not look into folders below.
func expandFolder(folder string) ([]source, []Skipped, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the folder: %w", err)
	}
	var names []string
	var skipped []Skipped
	infos := map[string]os.FileInfo{}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		info, err := os.Stat(path)
		if err != nil {
			skipped = append(skipped, Skipped{path, err.Error()})
			continue
		}
		if why := notALog(path, info); why != "" {
			skipped = append(skipped, Skipped{path, why})
			continue
		}
		names = append(names, path)
		infos[path] = info
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("folder %s holds no audit log (looked at %d entries, not into folders below)",
			strconv.Quote(folder), len(entries))
	}
	SortRotated(names)
	var sources []source
	for _, name := range names {
		sources = append(sources, fileSource(name, name, infos[name]))
	}
	return sources, skipped, nil
}

// notALog says why a member of a folder is not read, or "" when it is.
func notALog(path string, info os.FileInfo) string {
	switch {
	case info.IsDir():
		return "a folder"
	case !info.Mode().IsRegular():
		return "not a regular file"
	case strings.HasPrefix(filepath.Base(path), "."):
		return "a hidden file"
	case info.Size() == 0 && strings.Contains(filepath.Base(path), ".log"):
		return ""
	}
	f, err := os.Open(path) //nolint:gosec // The user names the folder.
	if err != nil {
		return err.Error()
	}
	defer f.Close() //nolint:errcheck // Only read from.
	in, err := Decompress(f)
	if err != nil {
		return err.Error()
	}
	defer in.Close() //nolint:errcheck // Only read from.
	head := make([]byte, sniffBytes)
	n, _ := io.ReadFull(in, head)
	if !bytes.Contains(head[:n], []byte("audit.k8s.io/")) {
		return "holds no audit events"
	}
	return ""
}

// rotation is a log's file name taken apart.
type rotation struct {
	base  string // the log's name without what rotation adds
	class int    // stamped, then numbered, then current
	stamp string // of a stamped file: when it was closed
	age   int    // of a numbered file: 1 is the newest
	name  string
}

const (
	stamped = iota
	numbered
	current
)

var (
	// stampedName matches audit-2026-11-23T18-00-00.000.log, as kube-apiserver
	// names what it rotates (gopkg.in/natefinch/lumberjack.v2), and the names
	// of logrotate's dateext: audit.log-20261123, audit-20261123.log.
	stampedName = regexp.MustCompile(
		`^(.*?)[-.](\d{4}-?\d{2}-?\d{2}(?:[-T]?\d{2}[-:]?\d{2}(?:[-:]?\d{2}(?:\.\d+)?)?|-\d+)?)(\.\D[^.]*)?$`)
	// numberedName matches audit.log.1.
	numberedName = regexp.MustCompile(`^(.*)\.(\d{1,6})$`)
)

// LogName gives the name of the log that a file was rotated out of: audit.log
// of audit-2026-11-23T18-00-00.000.log.gz and of audit.log.1. A name that no
// rotation gave it gives back without .gz or .zst.
func LogName(path string) string { return parseRotation(path).base }

func parseRotation(path string) rotation {
	name := path
	for _, ext := range []string{".gz", ".zst", ".zstd"} {
		name = strings.TrimSuffix(name, ext)
	}
	if m := stampedName.FindStringSubmatch(name); m != nil {
		return rotation{base: m[1] + m[3], class: stamped, stamp: m[2], name: path}
	}
	if m := numberedName.FindStringSubmatch(name); m != nil {
		age, _ := strconv.Atoi(m[2])
		return rotation{base: m[1], class: numbered, age: age, name: path}
	}
	return rotation{base: name, class: current, name: path}
}

// SortRotated orders the files of rotated logs oldest first: log by log, of
// each those with a date by the date, then those with a number from the
// highest down, then the one still written to.
func SortRotated(paths []string) {
	slices.SortFunc(paths, func(a, b string) int {
		x, y := parseRotation(a), parseRotation(b)
		return cmp.Or(
			cmp.Compare(x.base, y.base),
			cmp.Compare(x.class, y.class),
			cmp.Compare(x.stamp, y.stamp),
			cmp.Compare(y.age, x.age),
			cmp.Compare(x.name, y.name),
		)
	})
}
