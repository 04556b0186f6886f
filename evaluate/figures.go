package evaluate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Figures are what Score measures. The JSON names are those of score.py, and of
// the two figures that it lacks "label accuracy" and "label macro F1".
type Figures struct {
	Lines                 int   `json:"lines"`
	NotAnnotated          int   `json:"not annotated"`
	Commands              int   `json:"commands"`
	Effects               int   `json:"effects"`
	Attribution           Ratio `json:"attribution"`
	HardAttribution       Ratio `json:"hard attribution"`
	EffectsWithoutContext Ratio `json:"effects without context"`
	FalseBlame            Ratio `json:"false blame"`
	RootRecall            Ratio `json:"root recall"`
	RootPrecision         Ratio `json:"root precision"`
	B3Precision           Ratio `json:"b3 precision"`
	B3Recall              Ratio `json:"b3 recall"`
	B3                    Ratio `json:"b3"`
	Exact                 Ratio `json:"exact"`
	LabelAccuracy         Ratio `json:"label accuracy"`
	LabelMacroF1          Ratio `json:"label macro F1"`
	// Worst are the kinds of effect with the most wrong ones, at most 15, each
	// as "USER VERB RESOURCE: N of M right".
	Worst []string `json:"worst"`
}

// Ratio is a share between 0 and 1, rounded to four decimals. The zero value is
// a share of nothing, which JSON writes as null.
type Ratio struct {
	Value float64
	// Known is false where there was nothing to count.
	Known bool
}

// ratio gives the share of the whole, or an unknown Ratio where the whole is 0.
func ratio(part, whole int) Ratio {
	if whole == 0 {
		return Ratio{}
	}
	return known(float64(part) / float64(whole))
}

// known rounds as Python's round(value, 4): the decimal nearest to the exact
// value, and of two that are equally near the even one, which is what strconv
// does.
func known(value float64) Ratio {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(value, 'f', 4, 64), 64)
	if err != nil {
		return Ratio{}
	}
	return Ratio{Value: rounded, Known: true}
}

// String writes the share with a decimal point, "none" where it is unknown.
func (r Ratio) String() string {
	if !r.Known {
		return "none"
	}
	words := strconv.FormatFloat(r.Value, 'f', -1, 64)
	if r.Value == math.Trunc(r.Value) {
		words += ".0"
	}
	return words
}

// MarshalJSON writes a number with a decimal point, or null.
func (r Ratio) MarshalJSON() ([]byte, error) {
	if !r.Known {
		return []byte("null"), nil
	}
	return []byte(r.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Ratio) UnmarshalJSON(data []byte) error {
	var value *float64
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	*r = Ratio{}
	if value != nil {
		*r = Ratio{Value: *value, Known: true}
	}
	return nil
}

// WriteText writes a line a figure, under the name it has in JSON, and the
// worst kinds of effect last.
func (f Figures) WriteText(w io.Writer) error {
	var b strings.Builder
	value := reflect.ValueOf(f)
	for i := range value.NumField() {
		name := value.Type().Field(i).Tag.Get("json")
		if name != "worst" {
			fmt.Fprintf(&b, "%s: %v\n", name, value.Field(i).Interface())
		}
	}
	b.WriteString("worst:\n")
	for _, kind := range f.Worst {
		// A user's name may hold anything; quoting keeps it on its line.
		fmt.Fprintf(&b, "  %s\n", strings.Trim(strconv.Quote(kind), `"`))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
