package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/whet-k8s/whet/audit"
)

// idle is how long a file that does not grow is kept open.
const idle = time.Minute

// logFile is a file that is open.
type logFile struct {
	path   string
	file   *os.File
	track  *track
	packed bool // it is compressed
	// gone tells that the file is not the one that is written to: it was rotated
	// or removed.
	gone bool
	// size is how long it was when it was read to its end, -1 before, and grew
	// when it was longer than before.
	size int64
	grew time.Time
}

// look is a file as it was when there was nothing to be read in it.
type look struct {
	inode inode
	size  int64
	mtime time.Time
}

// done is a file with nothing to be read, and the log it holds, nil for none.
type done struct {
	look
	track *track
}

func lookOf(info os.FileInfo) look { return look{inodeOf(info), info.Size(), info.ModTime()} }

// found is what a path led to when the files were listed, or why it led
// nowhere.
type found struct {
	path string
	info os.FileInfo
	err  error
}

// poll reads what there is, and gives how long it took to find that. An error
// says what is wrong with the source.
//
// It reads files in the order in which they were written, as the listing shows
// it: nothing that came later is read before the next listing, since by then what
// came before it has been listed too.
func (f *Follower) poll(ctx context.Context) (looking time.Duration, err error) {
	begun := time.Now()
	files, err := f.list()
	looking = time.Since(begun)
	if err != nil {
		return looking, err
	}
	if !f.state.begun {
		if err := f.begin(files); err != nil {
			return looking, err
		}
	}
	// What is open is read first: of a log that was rotated the rest, before what
	// came after it.
	var wrong error
	for _, l := range f.open {
		wrong = keepFirst(wrong, f.drain(ctx, l, false))
		l.gone, l.track.Seen = true, today()
	}
	for _, file := range files {
		if ctx.Err() != nil {
			return looking, ctx.Err()
		}
		err := f.visit(ctx, file)
		wrong = keepFirst(wrong, err)
		if errors.Is(err, errNotYet) {
			break // what came later has to wait, too
		}
	}
	if wrong == nil {
		f.state.forget()
	}
	if errors.Is(wrong, errNotYet) {
		wrong = nil
	}
	f.forget(files)
	return looking, keepFirst(wrong, f.tidy(ctx))
}

// forget lets go of what is known of names that are no longer there.
func (f *Follower) forget(files []found) {
	if len(f.looked) <= len(files) {
		return
	}
	there := make(map[string]bool, len(files))
	for _, file := range files {
		there[file.path] = true
	}
	maps.DeleteFunc(f.looked, func(path string, _ done) bool { return !there[path] })
}

// keepFirst gives the first of two errors that there is. What comes later is
// seen again once the first one is gone.
func keepFirst(first, err error) error {
	if first != nil {
		return first
	}
	return err
}

// listTries is how often the files are listed again while they are rotated.
const listTries = 5

// list gives the files that may hold something, oldest first. It looks again
// when names changed meanwhile, so that no file is missing between two others.
func (f *Follower) list() ([]found, error) {
	paths, err := f.paths()
	for try := 0; ; try++ {
		if err != nil {
			return nil, err
		}
		files := make([]found, len(paths))
		for i, path := range paths {
			info, err := os.Stat(path)
			files[i] = found{path, info, err}
		}
		before := paths
		if paths, err = f.paths(); try == listTries || slices.Equal(before, paths) {
			return files, err
		}
	}
}

// paths gives the names of the files that may hold something, oldest first.
func (f *Follower) paths() ([]string, error) {
	dir, base := f.options.Path, ""
	if !f.options.Folder {
		dir, base = filepath.Split(f.options.Path)
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrPermission) && !f.options.Folder:
		f.once(dir, "the folder of the log cannot be read, so that rotated files are not found")
	case err != nil:
		return nil, fmt.Errorf("looking for the log: %w", err)
	}
	var paths []string
	for _, e := range entries {
		name := e.Name()
		if f.options.Folder && strings.HasPrefix(name, ".") || !f.options.Folder && (name == base || audit.LogName(name) != base) {
			continue
		}
		paths = append(paths, filepath.Join(dir, name))
	}
	audit.SortRotated(paths)
	if !f.options.Folder {
		paths = append(paths, f.options.Path)
	}
	return paths, nil
}

// begin leaves alone what was rotated away before the log was followed, and
// remembers that, before anything is read.
func (f *Follower) begin(files []found) error {
	if !f.options.Folder {
		for _, file := range files {
			l, head, err := openLog(file.path)
			if err != nil {
				continue // visit says what is wrong with it
			}
			t := f.state.add(&track{inode: l.track.inode, Seen: today()})
			if file.path != f.options.Path {
				t.Ignored = true
				t.Length, t.Sum = len(head), sum(head)
			}
			_ = l.file.Close() // only read from
		}
	}
	f.state.begun = true
	return f.state.write(f.options.State)
}

// today is good enough to tell when a log was seen.
func today() time.Time { return time.Now().UTC().Truncate(24 * time.Hour) }

// errNoFile says that there is something else under the name of a file.
var errNoFile = errors.New("is not a regular file")

// openLog opens a file and gives how it begins, decompressed. Its track has the
// inode alone.
func openLog(path string) (*logFile, []byte, error) {
	// A pipe without a writer would keep us waiting otherwise.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	l := &logFile{path: path, file: file, size: -1, grew: time.Now()}
	head, err := l.begin()
	if err != nil {
		_ = file.Close() // only read from
		return nil, nil, err
	}
	return l, head, nil
}

func (l *logFile) begin() ([]byte, error) {
	info, err := l.file.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder, not a log", l.path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s %w", l.path, errNoFile)
	}
	l.track = &track{inode: inodeOf(info)}
	l.grew = info.ModTime()
	var magic [4]byte
	n, err := l.file.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	l.packed = bytes.HasPrefix(magic[:n], []byte{0x1f, 0x8b}) || bytes.Equal(magic[:n], []byte{0x28, 0xb5, 0x2f, 0xfd})
	return l.head()
}

// head gives the first bytes of the log.
func (l *logFile) head() ([]byte, error) {
	r, err := l.reader(0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	head := make([]byte, headBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("reading %s: %w", l.path, err)
	}
	return head[:n], nil
}

// reader gives the log from an offset on.
func (l *logFile) reader(offset int64) (io.ReadCloser, error) {
	if !l.packed {
		return io.NopCloser(io.NewSectionReader(l.file, offset, 1<<62)), nil
	}
	r, err := audit.Decompress(io.NewSectionReader(l.file, 0, 1<<62))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.path, err)
	}
	if _, err := io.CopyN(io.Discard, r, offset); err != nil && !errors.Is(err, io.EOF) {
		_ = r.Close()
		return nil, fmt.Errorf("reading %s: %w", l.path, err)
	}
	return r, nil
}

// visit reads the file that a path led to.
func (f *Follower) visit(ctx context.Context, file found) error {
	path, info := file.path, file.info
	current := path == f.options.Path
	if file.err != nil || !info.Mode().IsRegular() {
		return f.noFile(path, info, file.err)
	}
	for _, l := range f.open {
		if have, err := l.file.Stat(); err == nil && os.SameFile(have, info) {
			l.gone = f.rotated(path)
			return nil
		}
	}
	if was := f.looked[path]; was.look == lookOf(info) {
		if was.track != nil {
			was.track.Seen = today()
		}
		return nil
	}
	l, head, err := openLog(path)
	if err != nil {
		return f.unreadable(path, info, err)
	}
	// What came under this name since is read after the next listing.
	now, err := l.file.Stat()
	wanted := err == nil && os.SameFile(now, info)
	if wanted {
		wanted, err = f.take(l, head, current)
	}
	if !wanted {
		_ = l.file.Close() // only read from
		return err
	}
	l.gone = f.rotated(path)
	f.open = append(f.open, l)
	f.count(func(s *Stats) { s.Logs++ })
	f.log.Debug("reading a log", "path", path, "offset", l.track.Offset)
	err = f.drain(ctx, l, false)
	return keepFirst(err, f.tidy(ctx))
}

// rotated tells by the path of a file that nobody writes to it any more.
func (f *Follower) rotated(path string) bool {
	if !f.options.Folder {
		return path != f.options.Path
	}
	return audit.LogName(filepath.Base(path)) != filepath.Base(path)
}

// noFile says what is there in place of the log. Of rotated files and members
// of a folder it is of no interest.
func (f *Follower) noFile(path string, info os.FileInfo, err error) error {
	if path != f.options.Path {
		if err == nil && !f.options.Folder {
			f.once(path, "has the name of a rotated log and is none")
		}
		return nil
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", path)
	case err != nil:
		return fmt.Errorf("looking at the log: %w", err)
	case info.IsDir():
		return fmt.Errorf("%s is a folder, not a log", path)
	}
	return fmt.Errorf("%s %w", path, errNoFile)
}

// unreadable says why a log cannot be opened. A rotated or compressed one is
// left alone until it changes: it may not be complete.
func (f *Follower) unreadable(path string, info os.FileInfo, err error) error {
	if path == f.options.Path {
		return fmt.Errorf("opening the log: %w", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f.looked[path] = done{look: lookOf(info)}
	if time.Since(info.ModTime()) > f.options.Still {
		f.log.Warn("a log cannot be read", "path", path, "error", err)
	}
	return nil
}

// errNotYet says that a file may not be whole yet.
var errNotYet = errors.New("it may not be whole yet")

// take finds the track of a file that was opened, and tells whether there may
// be something to read in it. The error is errNotYet or nil.
func (f *Follower) take(l *logFile, head []byte, current bool) (bool, error) {
	own := l.track.inode
	t := f.state.find(head, own)
	if t == nil {
		// A copy that has just begun begins like nothing that is known, and a
		// compressed file gives little before it is whole.
		begun := l.packed || len(head) < headBytes && !current && !f.options.Folder
		if begun && time.Since(l.grew) < f.options.Still {
			return false, errNotYet
		}
		if f.options.Folder && !f.isLog(l, head) {
			return false, nil
		}
		t = f.state.add(&track{})
	}
	t.inode, t.Seen, l.track = own, today(), t
	return !t.Ignored, nil
}

// isLog tells whether a member of a folder is an audit log. One without a line
// is looked at again.
func (f *Follower) isLog(l *logFile, head []byte) bool {
	if bytes.Contains(head, []byte("audit.k8s.io/")) {
		return true
	}
	if bytes.IndexByte(head, '\n') >= 0 || len(head) == headBytes {
		f.once(l.path, "holds no audit events and is left alone")
		if info, err := l.file.Stat(); err == nil {
			f.looked[l.path] = done{look: lookOf(info)}
		}
	}
	return false
}

// tidy closes files that nothing comes to any more.
func (f *Follower) tidy(ctx context.Context) error {
	var wrong error
	f.open = slices.DeleteFunc(f.open, func(l *logFile) bool {
		quiet := time.Since(l.grew)
		if ctx.Err() != nil || l.size < 0 || quiet < f.options.Still || !l.gone && quiet < idle {
			return false
		}
		if l.gone || f.options.Folder {
			if err := f.drain(ctx, l, true); err != nil {
				wrong = keepFirst(wrong, err)
				return false
			}
		}
		if info, err := l.file.Stat(); err == nil && info.Size() == l.size {
			f.looked[l.path] = done{lookOf(info), l.track}
		}
		_ = l.file.Close() // only read from
		return true
	})
	return wrong
}
