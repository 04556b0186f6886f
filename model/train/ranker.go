package train

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/whet-k8s/whet/evaluate"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model"
	"github.com/whet-k8s/whet/model/rank"
	"github.com/whet-k8s/whet/pipeline"
)

// Links is a recording's log with its truth, and what a ranker can learn from
// it.
type Links struct {
	Source
	// Bodies tells that events have bodies: such a log is measured, and nothing
	// is learned from it.
	Bodies bool
	// Examples are the choices that the linker had.
	Examples []rank.Example
	// Account tells where every line of the log went.
	Account *pipeline.Accounting

	about model.TrainingData
	truth *evaluate.Truth
}

// LoadLinks reads recordings for a ranker: of each the log with bodies, the same
// as a policy of level Request would have written it, which goes to the folder
// dir, and the log at Metadata level. The Source of each must name the truth of
// a recording. Progress is called before each log, and may be nil.
func LoadLinks(ctx context.Context, sources []Source, dir string, progress func(name string)) ([]Links, error) {
	var logs []Links
	for _, s := range sources {
		if s.Truth == "" {
			return nil, fmt.Errorf("a ranker learns from recordings, and %s has no truth beside it", s.Name)
		}
		truth, err := evaluate.Load(ctx, s.Truth)
		if err != nil {
			return nil, err
		}
		about, err := s.hashes()
		if err != nil {
			return nil, err
		}
		bodies := filepath.Base(s.Truth)+".audit" == s.Name
		logs = append(logs, Links{Source: s, Bodies: bodies, about: about, truth: truth})
		if !bodies {
			continue
		}
		request := s
		request.Name = filepath.Base(s.Truth) + ".request"
		request.Log = filepath.Join(dir, fmt.Sprintf("%d-request.jsonl", len(logs)))
		if err := writeRequestLevel(ctx, s.Log, request.Log); err != nil {
			return nil, err
		}
		logs = append(logs, Links{Source: request, about: about, truth: truth})
	}
	for i := range logs {
		if progress != nil {
			progress(logs[i].Name)
		}
		if err := logs[i].learn(ctx); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

// learn collects the examples of a log without responses. It fails where the
// truth is that of another log.
func (l *Links) learn(ctx context.Context) error {
	lines := newTruthLines(l.Truth, l.truth)
	options := pipeline.Options{Policy: l.Policy, NoModel: true}
	sink := pipeline.Sink{Annotation: func(a *pipeline.Annotation) error {
		_, err := lines.of(a)
		return err
	}}
	recorder := rank.NewRecorder(func(line int) (string, bool) {
		at := lines.lines[line]
		return at.Context, at.Role == evaluate.RoleEffect && at.Context != ""
	})
	if !l.Bodies {
		options.Link.Rank = recorder.Rank
	}
	var err error
	if l.Account, err = pipeline.Run(ctx, []string{l.Log}, nil, options, sink); err != nil {
		return fmt.Errorf("reading the log %s: %w", l.Log, err)
	}
	l.Examples = recorder.Examples
	return nil
}

// writeRequestLevel writes a log as a policy of level Request would have
// written it: without responses, and each event on the line that it has in the
// log, since truth counts lines.
func writeRequestLevel(ctx context.Context, log, to string) error {
	f, err := os.Create(to) //nolint:gosec // In a folder of the caller's.
	if err != nil {
		return fmt.Errorf("writing a log of level Request: %w", err)
	}
	out := bufio.NewWriterSize(f, 1<<20)
	next := 1
	_, err = pipeline.Run(ctx, []string{log}, nil, pipeline.Options{NoModel: true, KeepRaw: true}, pipeline.Sink{
		Annotation: func(a *pipeline.Annotation) error {
			for ; next < a.Line; next++ {
				if err := out.WriteByte('\n'); err != nil {
					return err
				}
			}
			next++
			return strip(a.Raw, out)
		},
	})
	if err := errors.Join(err, out.Flush(), f.Close()); err != nil {
		return fmt.Errorf("writing %s at level Request: %w", log, err)
	}
	return nil
}

// strip writes an event without its response.
func strip(raw []byte, out *bufio.Writer) error {
	var event map[string]json.RawMessage
	if err := json.Unmarshal(raw, &event); err != nil {
		return err
	}
	delete(event, "responseObject")
	event["level"] = json.RawMessage(`"Request"`)
	b, err := json.Marshal(event)
	if err != nil {
		return err
	}
	_, err = out.Write(append(b, '\n'))
	return err
}

// LinkTrial is a ranker measured on the logs of one recording.
type LinkTrial struct {
	// Name is the recording.
	Name string            `json:"name"`
	Logs []LinkMeasurement `json:"logs"`
}

// LinkMeasurement compares the links of a log without and with a ranker.
type LinkMeasurement struct {
	Name string `json:"name"`
	// Rules and Ranked are the figures by the rules alone, and with the ranker.
	Rules  evaluate.Figures `json:"rules"`
	Ranked evaluate.Figures `json:"ranked"`
	// Hard counts the effects of hard attribution, and WrongByRules and
	// WrongRanked those that are not where they belong.
	Hard         int `json:"hard"`
	WrongByRules int `json:"wrong_by_rules"`
	WrongRanked  int `json:"wrong_ranked"`
	// Bins are the links with the ranker by their confidence.
	Bins []LinkBin `json:"bins"`
}

// LinkBin is how many links have a confidence from Least on, up to that of the
// next bin, how many of them are right, and what was promised on average.
type LinkBin struct {
	Least    float64 `json:"least"`
	Links    int     `json:"links"`
	Right    int     `json:"right"`
	Promised float64 `json:"promised"`
}

// linkEdges are where the bins of confidence begin.
func linkEdges() []float64 { return []float64{0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99} }

// FitRanker makes a ranker from logs, those of one recording together.
func FitRanker(ctx context.Context, logs []Links, o rank.Options) (*rank.Model, error) {
	var names []string
	var groups [][]rank.Example
	var data []rank.Data
	for _, l := range logs {
		if l.Bodies {
			continue
		}
		at := slices.Index(names, l.group())
		if at < 0 {
			at = len(names)
			names, groups = append(names, l.group()), append(groups, nil)
		}
		groups[at] = append(groups[at], l.Examples...)
		data = append(data, rank.Data{Name: l.Name, SHA256: l.about.SHA256, Truth: l.about.Truth, Contexts: l.about.Contexts})
	}
	m, err := rank.Fit(ctx, groups, o)
	if err != nil {
		return nil, err
	}
	m.Data = data
	return m, nil
}

// LeaveOneOutLinks fits a ranker on all recordings but one, and measures it on
// that one; the name "all" leaves out each in turn. Progress is called before
// each.
func LeaveOneOutLinks(ctx context.Context, logs []Links, name string, o rank.Options, progress func(name string)) ([]LinkTrial, error) {
	var sources []Source
	for i := range logs {
		sources = append(sources, logs[i].Source)
	}
	groups, err := LeftOut(sources, name)
	if err != nil {
		return nil, err
	}
	var trials []LinkTrial
	for _, g := range groups {
		if progress != nil {
			progress(g)
		}
		var training, tested []Links
		for _, l := range logs {
			if l.group() == g {
				tested = append(tested, l)
			} else {
				training = append(training, l)
			}
		}
		m, err := FitRanker(ctx, training, o)
		if err != nil {
			return nil, fmt.Errorf("leaving out %s: %w", g, err)
		}
		t := LinkTrial{Name: g}
		for i := range tested {
			measured, err := tested[i].Measure(ctx, m)
			if err != nil {
				return nil, err
			}
			t.Logs = append(t.Logs, measured)
		}
		trials = append(trials, t)
	}
	return trials, nil
}

// Measure links the log without and with the ranker, and compares both with the
// truth.
func (l *Links) Measure(ctx context.Context, m *rank.Model) (LinkMeasurement, error) {
	measured := LinkMeasurement{Name: l.Name}
	rules, err := l.link(ctx, pipeline.Options{Policy: l.Policy, NoModel: true})
	if err != nil {
		return measured, err
	}
	ranked, err := l.link(ctx, pipeline.Options{Policy: l.Policy, Link: link.Options{Rank: m.Ranker()}})
	if err != nil {
		return measured, err
	}
	if measured.Rules, err = rules.score(l.truth); err != nil {
		return measured, err
	}
	if measured.Ranked, err = ranked.score(l.truth); err != nil {
		return measured, err
	}
	measured.Hard, measured.WrongByRules, _ = rules.count(l.truth)
	_, measured.WrongRanked, measured.Bins = ranked.count(l.truth)
	return measured, nil
}
