// Package recordings holds the recording that whet demo shows, so that the
// program needs no file beside it. README.md says how it was made.
package recordings

import _ "embed"

//go:embed day.audit.jsonl.zst
var day []byte

// DayName is the file name of the recording that Day gives.
const DayName = "day.audit.jsonl.zst"

// Day is the audit log of the recording "day", every event with its bodies,
// compressed with zstd. It must not be changed.
func Day() []byte { return day }
