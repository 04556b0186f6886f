package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/lab/internal/policy"
	"github.com/whet-k8s/whet/lab/internal/truth"
)

// Ends of the names of a recording's files.
const (
	fileAudit    = "audit.jsonl.zst"
	fileMetadata = "metadata.jsonl.zst"
	fileTruth    = "truth.jsonl.zst"
	fileContexts = "contexts.jsonl.zst"
	fileCard     = "card.md"
)

// Names of what a kept folder holds for [Rebuild].
const (
	keptLog   = "raw.jsonl"
	keptNotes = "notes.json"
)

// Notes are what is known of a recording beside its log.
type Notes struct {
	// Version is that of Kubernetes, Commit the lab's own.
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Plan     *Plan  `json:"plan"`
	PlanName string `json:"planName"`
	// Arguments chose the scenarios.
	Arguments []string `json:"arguments"`
	Seed      uint64   `json:"seed"`
	// About says what each scenario is about.
	About   map[string]string `json:"about"`
	Journal truth.Journal     `json:"journal"`
}

// notes returns the notes of the recording in progress.
func (r *recorder) notes() *Notes {
	n := &Notes{
		Version: r.options.Version, Commit: r.options.Commit, Plan: r.plan, PlanName: r.options.PlanName,
		Arguments: r.options.Arguments, Seed: r.options.Seed,
		About: map[string]string{}, Journal: r.journal,
	}
	for _, s := range r.options.Scenarios {
		n.About[s.Name] = s.About
	}
	return n
}

// restless counts the steps after which silence did not come in time.
func (n *Notes) restless() int {
	count := 0
	for _, c := range n.Journal.Commands {
		if c.Restless {
			count++
		}
	}
	return count
}

// warn tells something that does not spoil the recording.
func (r *recorder) warn(text string) { r.options.Progress("warning: " + text) }

// finish turns the raw log and the notes into a recording's files.
func (r *recorder) finish() error {
	raw, err := r.rawLog()
	if err != nil {
		return err
	}
	notes := r.notes()
	if r.options.Keep {
		if err := r.keepRaw(raw, notes); err != nil {
			return err
		}
	}
	if n := notes.restless(); n > 0 {
		r.warn(fmt.Sprintf("%d steps went on without silence, since it did not come within a minute; what may be theirs is unscored", n))
	}
	r.options.Progress(fmt.Sprintf("finding the truth about %d lines", len(raw)))
	return write(raw, notes, r.options.Policy, r.options.Out, r.options.Prefix, r.warn)
}

// Rebuild makes a recording again from a folder that [Record] kept, for another
// policy for example, and puts its files into the folder out.
func Rebuild(dir, policyName, out, prefix string, progress func(string)) error {
	data, err := os.ReadFile(filepath.Join(dir, keptNotes))
	if err != nil {
		return fmt.Errorf("reading what a recording kept: %w", err)
	}
	var notes Notes
	if err := json.Unmarshal(data, &notes); err != nil {
		return fmt.Errorf("reading %s of %s: %w", keptNotes, dir, err)
	}
	if notes.Plan == nil {
		return fmt.Errorf("reading %s of %s: it has no plan", keptNotes, dir)
	}
	raw, err := readLines(filepath.Join(dir, keptLog))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // A recording is for everyone.
		return fmt.Errorf("making the folder for the recording: %w", err)
	}
	return write(raw, &notes, policyName, out, prefix, progress)
}

// write builds a recording and puts its files into their place.
func write(raw [][]byte, notes *Notes, policyName, out, prefix string, warn func(string)) error {
	rec, err := Build(raw, &notes.Journal, policyName, notes.Seed)
	if err != nil {
		return err
	}
	for _, cmd := range rec.Rootless {
		warn(fmt.Sprintf("%q of %s asked for no resource that the policy logs and is no context", cmd.Text, cmd.User))
	}
	files, err := rec.encode()
	if err != nil {
		return err
	}
	files[fileCard] = notes.card(rec, policyName, prefix)
	return writeFiles(out, prefix, files)
}

// rawLog reads the audit log from where the recording starts.
func (r *recorder) rawLog() ([][]byte, error) {
	f, err := os.Open(r.cluster.AuditLog())
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(r.from, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("the audit log %s is empty", r.cluster.AuditLog())
	}
	if data[len(data)-1] != '\n' {
		return nil, fmt.Errorf("the audit log %s ends in the middle of a line", r.cluster.AuditLog())
	}
	return bytes.Split(data[:len(data)-1], []byte("\n")), nil
}

// keepRaw writes what the recording is made from into the kept folder.
func (r *recorder) keepRaw(raw [][]byte, notes *Notes) error {
	log := append(bytes.Join(raw, []byte("\n")), '\n')
	if err := os.WriteFile(filepath.Join(r.work, keptLog), log, 0o600); err != nil {
		return fmt.Errorf("keeping the raw log: %w", err)
	}
	data, err := json.Marshal(notes)
	if err != nil {
		return fmt.Errorf("keeping the notes: %w", err)
	}
	if err := os.WriteFile(filepath.Join(r.work, keptNotes), data, 0o600); err != nil {
		return fmt.Errorf("keeping the notes: %w", err)
	}
	r.options.Progress("kept " + r.work)
	return nil
}

// Built is a recording in memory.
type Built struct {
	Audit, Metadata [][]byte
	Lines           []truth.Line
	Contexts        []truth.Context
	Rootless        []truth.Command
}

// Build makes a recording from a raw log (every event at RequestResponse, with
// tokens) and its journal: it finds the truth, cuts the log down to the policy,
// renames the tokens and checks all of it.
func Build(raw [][]byte, journal *truth.Journal, policyName string, seed uint64) (*Built, error) {
	chosen, err := load(policyName)
	if err != nil {
		return nil, err
	}
	metadata, err := load(policy.Metadata)
	if err != nil {
		return nil, err
	}
	names := truth.Rename(journal, rand.New(rand.NewPCG(seed, 0x6e616d6573))) //nolint:gosec // A seed must give the same numbers each time.
	rename := names.Renamer()
	out := &Built{}
	events := make([]*truth.Event, len(raw))
	keep := make([]bool, len(raw))
	for i, line := range raw {
		if events[i], err = truth.ReadEvent(line); err != nil {
			return nil, fmt.Errorf("line %d of the raw log: %w", i+1, err)
		}
		cut, logged, err := chosen.Apply(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of the raw log: %w", i+1, err)
		}
		if !logged {
			continue
		}
		keep[i] = true
		out.Audit = append(out.Audit, rename(cut))
		bare, _, err := metadata.Apply(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of the raw log: %w", i+1, err)
		}
		out.Metadata = append(out.Metadata, rename(bare))
	}
	t, err := truth.Attribute(events, journal, keep)
	if err != nil {
		return nil, fmt.Errorf("finding the truth: %w", err)
	}
	if len(t.Lost) > 0 {
		return nil, fmt.Errorf("%d commands succeeded and the API server's log holds no request of theirs for a resource, first %q of %s", len(t.Lost), t.Lost[0].Text, t.Lost[0].User)
	}
	out.Lines, out.Contexts, out.Rootless = t.Lines, t.Contexts, t.Rootless
	for i := range out.Contexts {
		x := &out.Contexts[i]
		x.Command, x.Resource = string(rename([]byte(x.Command))), string(rename([]byte(x.Resource)))
	}
	for i := range out.Lines {
		if p := out.Lines[i].Resource; p != nil {
			*p = string(rename([]byte(*p)))
		}
	}
	return out, out.check(chosen, metadata)
}

func load(name string) (*policy.Policy, error) {
	data, err := policy.Named(name)
	if err != nil {
		return nil, err
	}
	return policy.New(name, data)
}

// check proves both logs of the recording sound.
func (b *Built) check(chosen, metadata *policy.Policy) error {
	for _, x := range []struct {
		what  string
		log   [][]byte
		rules *policy.Policy
	}{{"audit", b.Audit, chosen}, {"metadata", b.Metadata, metadata}} {
		if err := checkLog(x.log, b.Lines, b.Contexts, x.rules); err != nil {
			return fmt.Errorf("the recording's %s log is not sound:\n%w", x.what, err)
		}
	}
	return nil
}

func checkLog(log [][]byte, lines []truth.Line, contexts []truth.Context, rules *policy.Policy) error {
	r := &truth.Recording{Log: log, Lines: lines, Contexts: contexts}
	if rules != nil {
		r.Level = rules.Level
	}
	return truth.Check(r)
}
