package term

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// IsTerminal tells whether what is written to w appears on a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Columns is the width of the terminal behind w: what COLUMNS says, else what
// the terminal says, and 0, which is no bound, where nobody reads along.
func Columns(w io.Writer, getenv func(string) string) int {
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// Colors tells whether to use colours: mode is "always", "never", or "auto",
// which means on a terminal that can and where the user does not object with
// NO_COLOR (https://no-color.org).
func Colors(mode string, w io.Writer, getenv func(string) string) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	return IsTerminal(w) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}
