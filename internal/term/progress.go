package term

import (
	"fmt"
	"io"
	"time"
)

// Progress keeps a line of progress on a terminal.
type Progress struct {
	// Out is the terminal, and Columns its width.
	Out     io.Writer
	Columns int
	// Begun is when the work began.
	Begun time.Time

	drawn time.Time // when the line was last drawn
}

const (
	// progressAfter is how long something takes before it is worth a line.
	progressAfter = time.Second
	// progressEvery is how often the line changes.
	progressEvery = 200 * time.Millisecond
)

// Update shows how many of the bytes are read. Total is 0 when it is not
// known. Detail is put after the rate.
func (p *Progress) Update(now time.Time, read, total int64, detail string) {
	if now.Sub(p.Begun) < progressAfter || now.Sub(p.drawn) < progressEvery {
		return
	}
	p.drawn = now
	line := ProgressLine(now.Sub(p.Begun), read, total, detail)
	if p.Columns > 0 {
		line = Truncate(line, p.Columns-1)
	}
	// Return, the line, and erase what was longer before.
	fmt.Fprintf(p.Out, "\r%s\x1b[K", line)
}

// Clear takes the line away.
func (p *Progress) Clear() {
	if !p.drawn.IsZero() {
		fmt.Fprint(p.Out, "\r\x1b[K")
	}
}

// ProgressLine says how far the work has come after a time, how fast it goes,
// and how long it will take.
func ProgressLine(spent time.Duration, read, total int64, detail string) string {
	rate := float64(read) / max(spent.Seconds(), 1e-3)
	line := Bytes(read)
	if total > 0 {
		line = fmt.Sprintf("%3.0f%%  %s of %s", 100*float64(min(read, total))/float64(total), Bytes(read), Bytes(total))
	}
	line += fmt.Sprintf("  %s/s", Bytes(int64(rate)))
	if detail != "" {
		line += "  " + detail
	}
	if total > read && read > 0 {
		left := time.Duration(float64(total-read) / rate * float64(time.Second))
		line += fmt.Sprintf("  %s left", left.Round(time.Second))
	}
	return line
}

// Bytes writes a number of bytes with a unit, powers of ten.
func Bytes(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/unit, 0
	for v >= 999.95 && i < 4 {
		v /= unit
		i++
	}
	return fmt.Sprintf("%.1f %cB", v, "kMGTP"[i])
}

// Count writes a number with its digits in groups of three.
func Count[N ~int | ~int64](n N) string {
	s := fmt.Sprint(int64(n))
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Plural writes a number and a noun, which takes an s unless the number is 1.
func Plural[N ~int | ~int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}
