package report

import (
	_ "embed" // for the page
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/model/train"
)

//go:embed page.html
var page string

// WriteJSON writes the report as a JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("writing the report as JSON: %w", err)
	}
	return nil
}

// WriteHTML writes the report as one page, which loads nothing. What comes from
// logs is escaped.
func (r *Report) WriteHTML(w io.Writer) error {
	codec := label.New(label.Options{})
	functions := template.FuncMap{
		"percent":     func(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) },
		"figure":      func(x float64) string { return fmt.Sprintf("%.4f", x) },
		"action":      func(l label.Label) string { return action(codec, l) },
		"losses":      lossCurves,
		"reliability": reliability,
		"frequency":   frequency,

		"linkReliability": linkReliability,
		"heat":            heat,
		"cell":            cell,
		"wrong":           func(t train.Tally) float64 { return ratio(t.Wrong, t.Lines) },
		"bar":             func(x, most float64) string { return fmt.Sprintf("%.1f", 100*math.Max(x, 0)/math.Max(most, 1e-9)) },
		"largest":         largest,
		"rows":            treeRows,
		"sub":             func(x float64) float64 { return 1 - x },
	}
	t, err := template.New("page").Funcs(functions).Parse(page)
	if err != nil {
		return fmt.Errorf("reading the report's page: %w", err)
	}
	if err := t.Execute(w, r); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func largest(weights []Weight) float64 {
	most := 0.0
	for _, w := range weights {
		most = max(most, w.Loss)
	}
	return most
}

// heat gives the colour of a share of errors: green for none, over yellow, to
// red for a tenth and more.
func heat(share float64) template.CSS {
	hue := 120 * (1 - math.Min(math.Sqrt(share/0.1), 1))
	return template.CSS(fmt.Sprintf("background:hsl(%.0f 65%% 45%%)", hue)) //nolint:gosec // A number, and nothing else.
}

// cell gives the shade of a cell of the confusion matrix, by its share of the
// row.
func cell(count int, row []int) template.CSS {
	sum := 0
	for _, n := range row {
		sum += n
	}
	return template.CSS(fmt.Sprintf("background:rgb(70 130 220 / %.2f)", math.Sqrt(ratio(count, sum)))) //nolint:gosec // A number, and nothing else.
}

// chart is a drawing of 640 by 260 with axes from 0 to 1.
type chart struct{ strings.Builder }

// The drawing's frame.
const (
	chartLeft, chartRight = 50.0, 630.0
	chartTop, chartBottom = 10.0, 225.0
)

func x(v float64) float64 { return chartLeft + v*(chartRight-chartLeft) }
func y(v float64) float64 { return chartBottom - v*(chartBottom-chartTop) }

// newChart begins a drawing with what stands at the ends of its axes.
func newChart(left, right, top, caption string) *chart {
	c := &chart{}
	fmt.Fprintf(c, `<svg viewBox="0 0 640 260" role="img" aria-label="%s"><path class="axis" d="M%.0f %.0fV%.0fH%.0f"/>`,
		template.HTMLEscapeString(caption), chartLeft, chartTop, chartBottom, chartRight)
	text := func(atX, atY float64, anchor, s string) {
		fmt.Fprintf(c, `<text x="%.0f" y="%.0f" text-anchor="%s">%s</text>`, atX, atY, anchor, template.HTMLEscapeString(s))
	}
	text(chartLeft, chartBottom+16, "start", left)
	text(chartRight, chartBottom+16, "end", right)
	text(chartLeft-5, chartBottom, "end", "0")
	text(chartLeft-5, chartTop+10, "end", top)
	text((chartLeft+chartRight)/2, chartBottom+30, "middle", caption)
	return c
}

func (c *chart) line(class string, points [][2]float64) {
	if len(points) == 0 {
		return
	}
	fmt.Fprintf(c, `<polyline class="%s" points="`, class)
	for _, p := range points {
		fmt.Fprintf(c, "%.1f,%.1f ", x(p[0]), y(p[1]))
	}
	c.WriteString(`"/>`)
}

func (c *chart) dot(atX, atY, radius float64, title string) {
	fmt.Fprintf(c, `<circle cx="%.1f" cy="%.1f" r="%.1f"><title>%s</title></circle>`, x(atX), y(atY), radius, template.HTMLEscapeString(title))
}

func (c *chart) html() template.HTML {
	c.WriteString("</svg>")
	return template.HTML(c.String()) //nolint:gosec // Made of numbers and escaped text.
}

// lossCurves draws the losses of all trials: each thin, and their mean thick.
func lossCurves(trials []Trial) template.HTML {
	epochs, most := 1, 1e-9
	for _, t := range trials {
		epochs = max(epochs, len(t.History))
		for _, e := range t.History {
			most = max(most, e.Loss, e.Validation)
		}
	}
	c := newChart("epoch 1", fmt.Sprintf("epoch %d", epochs), fmt.Sprintf("%.3f", most), "loss: training blue, validation orange; thick: the mean of the trials")
	for class, of := range map[string]func(train.Epoch) float64{
		"training": func(e train.Epoch) float64 { return e.Loss }, "validation": func(e train.Epoch) float64 { return e.Validation },
	} {
		sums, counts := make([]float64, epochs), make([]int, epochs)
		at := func(i int) float64 { return float64(i) / math.Max(float64(epochs-1), 1) }
		for _, t := range trials {
			var points [][2]float64
			for i, e := range t.History {
				points = append(points, [2]float64{at(i), of(e) / most})
				sums[i] += of(e)
				counts[i]++
			}
			c.line("thin "+class, points)
		}
		var mean [][2]float64
		for i := range sums {
			if counts[i] > 0 {
				mean = append(mean, [2]float64{at(i), sums[i] / float64(counts[i]) / most})
			}
		}
		c.line(class, mean)
	}
	return c.html()
}

// reliability draws how often the vote is right against how sure it is.
func reliability(bins []train.Bin) template.HTML {
	c := newChart("0", "1", "1", "confidence of the vote (across) and share that is right (up); the line is what should be")
	c.line("ideal", [][2]float64{{0, 0}, {1, 1}})
	for _, b := range bins {
		if b.Lines > 0 {
			c.dot(b.Sum/float64(b.Lines), ratio(b.Right, b.Lines), 3+math.Log10(float64(b.Lines)),
				fmt.Sprintf("%d lines: said %.3f, right %.3f", b.Lines, b.Sum/float64(b.Lines), ratio(b.Right, b.Lines)))
		}
	}
	return c.html()
}

// linkReliability draws the share of right links against their confidence.
func linkReliability(bins []train.LinkBin) template.HTML {
	c := newChart("0", "1", "1", "confidence of a link (across) and share that is right (up); the line is what should be")
	c.line("ideal", [][2]float64{{0, 0}, {1, 1}})
	for _, b := range bins {
		if b.Links > 0 {
			c.dot(b.Promised, ratio(b.Right, b.Links), 3+math.Log10(float64(b.Links)),
				fmt.Sprintf("%d links: promised %.3f, right %.3f", b.Links, b.Promised, ratio(b.Right, b.Links)))
		}
	}
	return c.html()
}

// frequency draws the recall of each class against how often it occurs.
func frequency(classes []Class) template.HTML {
	most := 1
	for _, class := range classes {
		most = max(most, class.Lines)
	}
	c := newChart("1 line", fmt.Sprintf("%d lines", most), "1", "lines of a label (across, logarithmic) and share of them that is right (up)")
	for _, class := range classes {
		if class.Lines > 0 {
			c.dot(math.Log(float64(class.Lines))/math.Max(math.Log(float64(most)), 1e-9), class.Recall, 3,
				fmt.Sprintf("%d, %s: %d of %d right", class.Label, class.Action, class.Hit, class.Lines))
		}
	}
	return c.html()
}

// treeRow is a line of a tree as it is written.
type treeRow struct {
	Depth    int
	Question string
	Leaf     bool
	Label    label.Label
	Lines    int
	Same     int
}

// treeRows writes a tree line by line.
func treeRows(t *Tree) []treeRow {
	var rows []treeRow
	var walk func(t *Tree, depth int, question string)
	walk = func(t *Tree, depth int, question string) {
		if t == nil {
			return
		}
		rows = append(rows, treeRow{depth, question, t.Yes == nil, t.Label, t.Lines, t.Same})
		if t.Yes != nil {
			walk(t.Yes, depth+1, fmt.Sprintf("%s is %q", t.Feature, t.Value))
			walk(t.No, depth+1, fmt.Sprintf("%s is not %q", t.Feature, t.Value))
		}
	}
	walk(t, 0, "all lines")
	return rows
}
