//go:build linux || darwin || freebsd

package follow

import (
	"os"
	"syscall"
)

// inodeOf gives what a file system knows a file by.
func inodeOf(info os.FileInfo) inode {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}
	}
	return inode{Device: uint64(st.Dev), Number: st.Ino} //nolint:unconvert // Dev has another type on other systems.
}
