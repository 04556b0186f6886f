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

// Names that [Files] gives to the parts of a recording.
const (
	fileAudit    = "audit.jsonl.zst"
	fileMetadata = "metadata.jsonl.zst"
	fileTruth    = "truth.jsonl.zst"
	fileContexts = "contexts.jsonl.zst"
	fileCard     = "card.md"
)

// warn tells something that does not spoil the recording.
func (r *recorder) warn(text string) { r.options.Progress("warning: " + text) }

// finish turns the raw log and the journal into a recording's files.
func (r *recorder) finish() error {
	raw, err := r.rawLog()
	if err != nil {
		return err
	}
	if r.options.Keep {
		if err := r.keepRaw(raw); err != nil {
			return err
		}
	}
	r.options.Progress(fmt.Sprintf("finding the truth about %d lines", len(raw)))
	rec, err := Build(raw, &r.journal, r.options.Policy, r.options.Seed)
	if err != nil {
		return err
	}
	for _, cmd := range rec.Rootless {
		r.warn(fmt.Sprintf("%q of %s asked for no resource and is no context", cmd.Text, cmd.User))
	}
	if r.restless > 0 {
		r.warn(fmt.Sprintf("%d steps went on without silence, since it did not come within a minute", r.restless))
	}
	files, err := rec.encode()
	if err != nil {
		return err
	}
	files[fileCard] = r.card(rec)
	return writeFiles(r.options.Out, r.options.Prefix, files)
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

// keepRaw writes what the recording was made from beside the cluster's folder.
func (r *recorder) keepRaw(raw [][]byte) error {
	if err := os.WriteFile(filepath.Join(r.work, "raw.jsonl"), append(bytes.Join(raw, []byte("\n")), '\n'), 0o600); err != nil {
		return fmt.Errorf("keeping the raw log: %w", err)
	}
	data, err := json.MarshalIndent(&r.journal, "", " ")
	if err != nil {
		return fmt.Errorf("keeping the journal: %w", err)
	}
	if err := os.WriteFile(filepath.Join(r.work, "journal.json"), data, 0o600); err != nil {
		return fmt.Errorf("keeping the journal: %w", err)
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
	names := truth.Rename(journal, rand.New(rand.NewPCG(seed, 0x6e616d6573)))
	replacer := names.Replacer()
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
		out.Audit = append(out.Audit, []byte(replacer.Replace(string(cut))))
		bare, _, err := metadata.Apply(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of the raw log: %w", i+1, err)
		}
		out.Metadata = append(out.Metadata, []byte(replacer.Replace(string(bare))))
	}
	t, err := truth.Attribute(events, journal, keep)
	if err != nil {
		return nil, fmt.Errorf("finding the truth: %w", err)
	}
	out.Lines, out.Contexts, out.Rootless = t.Lines, t.Contexts, t.Rootless
	for i := range out.Contexts {
		x := &out.Contexts[i]
		x.Command, x.Resource = replacer.Replace(x.Command), replacer.Replace(x.Resource)
	}
	for i := range out.Lines {
		if p := out.Lines[i].Resource; p != nil {
			*p = replacer.Replace(*p)
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
