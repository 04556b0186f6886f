//go:build linux || darwin || freebsd

package queue

import "golang.org/x/sys/unix"

// freeBytes is what the disk of a folder has left for those who are not root.
func freeBytes(dir string) (int64, bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:unconvert // Bsize has another type on other systems.
}
