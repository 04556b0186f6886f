package follow

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzCutter wants every byte of the input in a piece, cut out of a line that is
// too long, or left, and pieces that end where lines do.
func FuzzCutter(f *testing.F) {
	f.Add([]byte("one\ntwo\nthree"), true, false)
	f.Add([]byte("one\n"+strings.Repeat("x", 200)+"\ntwo\n"), false, true)
	f.Add([]byte(strings.Repeat("x", 200)), true, true)
	f.Add([]byte("\n\n\n"), false, false)
	f.Fuzz(func(t *testing.T, data []byte, last, slow bool) {
		var r io.Reader = bytes.NewReader(data)
		if slow {
			r = iotest.OneByteReader(r)
		}
		const most = 64
		c := newCutter(r, 16, most)
		at := 0
		for {
			body, cut, ended, err := c.next(last)
			if err != nil {
				t.Fatal(err)
			}
			if len(body) > most {
				t.Fatalf("a piece of %d bytes", len(body))
			}
			whole := data[at : at+len(body)]
			if cut > 0 {
				whole = whole[:len(whole)-1] // the end of the line is put there
			}
			if !bytes.HasPrefix(body, whole) {
				t.Fatalf("at %d: %q, want %q", at, body, whole)
			}
			at += len(body) + int(cut)
			if len(body) > 0 && data[at-1] != '\n' && (!ended || !last) {
				t.Fatalf("%q ends within a line", body)
			}
			if ended {
				break
			}
		}
		if at+int(c.left) != len(data) || last && c.left > 0 {
			t.Errorf("%d bytes given and %d left of %d", at, c.left, len(data))
		}
		if rest := data[at:]; bytes.IndexByte(rest, '\n') >= 0 {
			t.Errorf("whole lines are left in %q", rest)
		}
	})
}
