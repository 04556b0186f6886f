//go:build linux || darwin

package store_test

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// limitVariable is how many bytes a file of a job may have.
const limitVariable = "WHET_STORE_TEST_LIMIT"

// limitFiles makes writes beyond the limit fail, as they do on a full disk.
func limitFiles() error {
	text := os.Getenv(limitVariable)
	if text == "" {
		return nil
	}
	limit, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s: %w", limitVariable, err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit})
}
