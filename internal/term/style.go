package term

import (
	"github.com/charmbracelet/x/ansi"
)

// Style is how a text looks on a terminal with colours.
type Style uint8

// The styles. They add to the meaning of a text, never carry it alone, since
// many read without colours.
const (
	Plain Style = iota
	Bold
	Dim
	Good    // green
	Bad     // red
	Caution // yellow
)

// Painter applies styles, or none where colours are off. The zero value paints
// nothing.
type Painter struct {
	Colors bool
}

// Paint gives the text in the style. The text must be sanitised already.
func (p Painter) Paint(s Style, text string) string {
	if !p.Colors || text == "" {
		return text
	}
	var style ansi.Style
	switch s {
	case Bold:
		style = style.Bold()
	case Dim:
		style = style.Faint()
	case Good:
		style = style.ForegroundColor(ansi.Green)
	case Bad:
		style = style.ForegroundColor(ansi.Red)
	case Caution:
		style = style.ForegroundColor(ansi.Yellow)
	default:
		return text
	}
	return style.Styled(text)
}
