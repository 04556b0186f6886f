package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxName is how long a cluster's name may be, as the data set bounds it.
const maxName = 64

// parseName takes a cluster's name, which stands in folders and URLs.
func parseName(s string) (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	switch {
	case s == "":
		return "", errors.New("a cluster needs a name")
	case len(s) > maxName, strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(letters, r) }):
		return "", fmt.Errorf("the cluster's name %.80q is no name: use letters, digits, dots, dashes and underscores, at most %d", s, maxName)
	case s == "." || s == "..":
		return "", fmt.Errorf("%q is no name for a cluster", s)
	}
	return s, nil
}

// ParseBytes reads a size: a number of bytes, or with a unit as 512MiB or 4GB.
func ParseBytes(s string) (int64, error) {
	number, unit := s, 1.0
	for _, u := range []struct {
		name  string
		bytes float64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
		{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40},
	} {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n > 0) || n*unit >= math.MaxInt64 || n*unit < 1 {
		return 0, fmt.Errorf("want a size such as 512MiB or 4GiB, have %q", s)
	}
	return int64(n * unit), nil
}

// ParseDuration reads a time such as 90s, 24h or 30d.
func ParseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n > 0 && n < 100_000 {
			return time.Duration(n * 24 * float64(time.Hour)), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("want a time such as 5s, 24h or 30d, have %q", s)
	}
	return d, nil
}

// parsePause reads a time that may be 0.
func parsePause(s string) (time.Duration, error) {
	if d, err := time.ParseDuration(s); err == nil && d == 0 {
		return 0, nil
	}
	return ParseDuration(s)
}

func parseCount(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("want a number above 0, have %q", s)
	}
	return n, nil
}
