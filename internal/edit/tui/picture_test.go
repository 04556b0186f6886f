package tui

import (
	"fmt"
	"html"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/internal/term"
)

// picture is the picture of the screen in docs/labels.md.
const picture = "../../../docs/img/label-edit.svg"

// TestPicture holds that the picture in the documentation is the screen as it
// is.
func TestPicture(t *testing.T) {
	x := start(t, readWeb(t), Options{Colors: true})
	x.resize(112, 31)
	x.press("l")
	lines := x.Frame()
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, filepath.Dir(x.session.Log().Name())+"/", "")
	}
	compare(t, picture, svg(lines, 112))
}

// svg draws lines of a terminal. It knows the styles of package term.
func svg(lines []string, columns int) string {
	const width, height = 7.6, 17
	var b strings.Builder
	w, h := int(width*float64(columns))+32, height*len(lines)+32
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="12.5" `+
		`role="img" aria-label="The screen of whet label edit: the events around the current one, what is known of it, and the labels proposed for it.">`+"\n", w, h)
	fmt.Fprintf(&b, `  <rect width="%d" height="%d" rx="8" fill="#1d2025"/>`+"\n", w, h)
	for i, line := range lines {
		x := 0
		for _, part := range parts(line) {
			if strings.TrimSpace(part.text) != "" {
				fmt.Fprintf(&b, `  <text xml:space="preserve" x="%.1f" y="%d" textLength="%.1f" %s>%s</text>`+"\n",
					16+width*float64(x), 28+height*i, width*float64(term.Width(part.text)), part.look, html.EscapeString(part.text))
			}
			x += term.Width(part.text)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// part is a text in one style.
type part struct{ text, look string }

// looks are the styles by their escape sequences.
func looks() map[string]string {
	return map[string]string{
		"":   `fill="#d6d9de"`,
		"m":  `fill="#d6d9de"`,
		"1m": `fill="#ffffff" font-weight="bold"`, "2m": `fill="#8b929c"`,
		"31m": `fill="#ff7b72"`, "32m": `fill="#7ee787"`, "33m": `fill="#f2cc60"`,
	}
}

// parts takes a line apart at its escape sequences.
func parts(line string) []part {
	var list []part
	style := ""
	for i, piece := range strings.Split(line, "\x1b[") {
		if i > 0 {
			end := strings.IndexByte(piece, 'm') + 1
			style, piece = piece[:end], piece[end:]
		}
		list = append(list, part{piece, looks()[style]})
	}
	return list
}
