package replicate

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseSize reads a number of bytes, with a unit or without: kB, MB, GB and TB
// are powers of ten, KiB, MiB, GiB and TiB powers of two. The case of letters
// does not matter. The size must be above 0.
func ParseSize(s string) (int64, error) {
	units := []struct {
		name  string
		bytes float64
	}{
		{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
		{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1}, {"", 1},
	}
	for _, unit := range units {
		digits, found := strings.CutSuffix(strings.ToLower(strings.TrimSpace(s)), unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if size := n * unit.bytes; err == nil && size >= 1 && size < 1<<62 {
			return int64(size), nil
		}
		break
	}
	return 0, fmt.Errorf("%q is no size: write 500MB, 1.5GB or 2GiB", s)
}
