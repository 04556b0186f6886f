package replicate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// truthLine is a line of PREFIX.truth.jsonl, with its fields in their order.
type truthLine struct {
	Line        int     `json:"line"`
	AuditID     string  `json:"auditID"`
	Stage       string  `json:"stage"`
	Context     *string `json:"context"`
	Role        string  `json:"role"`
	User        string  `json:"user"`
	Verb        string  `json:"verb"`
	Resource    *string `json:"resource"`
	Subresource *string `json:"subresource"`
}

// command is a line of PREFIX.contexts.jsonl, with its fields in their order.
type command struct {
	Context     string  `json:"context"`
	User        string  `json:"user"`
	Command     string  `json:"command"`
	RC          int     `json:"rc"`
	Start       string  `json:"start"`
	RootLine    int     `json:"root_line"`
	Root        string  `json:"root"`
	Verb        string  `json:"verb"`
	Resource    *string `json:"resource"`
	Subresource *string `json:"subresource"`
	Principals  int     `json:"principals"`
}

// maxTruthLine bounds a line of a truth file, in bytes.
const maxTruthLine = 1 << 20

// WriteTruth writes the truth that belongs to what Write wrote with the same
// Options: truth and contexts are read from a recording's PREFIX.truth.jsonl and
// PREFIX.contexts.jsonl (plain), and written for every copy, with line numbers
// moved on and with the copy's identifiers, names and times. The id of a
// command gets the suffix -rK in copy K. Of a last copy that was cut short only
// the lines that were written are told, and only the commands that have one.
func (r *Recording) WriteTruth(ctx context.Context, truth, contexts io.Reader, toTruth, toContexts io.Writer, o Options, done Written) error {
	texts := &values{index: map[value]int{}}
	scan := newScanner(r, texts)
	lines, err := readTruth[truthLine](scan, truth)
	if err != nil {
		return fmt.Errorf("reading the truth: %w", err)
	}
	commands, err := readTruth[command](scan, contexts)
	if err != nil {
		return fmt.Errorf("reading the contexts: %w", err)
	}
	// A copy of the recording with the texts of the truth only.
	told := &Recording{values: *texts, first: r.first, last: r.last}
	whole := r.Lines()
	outTruth, outContexts := bufio.NewWriter(toTruth), bufio.NewWriter(toContexts)
	for number := 1; number <= done.Copies; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		limit := whole
		if number == done.Copies {
			limit = done.LastLines
		}
		c := truthCopy{
			texts: told.texts(number, o.Seed), suffix: "-r" + strconv.Itoa(number), before: (number - 1) * whole, limit: limit,
			commands: map[string]bool{},
		}
		if err := c.write(lines, commands, outTruth, outContexts); err != nil {
			return fmt.Errorf("writing the truth of copy %d: %w", number, err)
		}
	}
	if err := outTruth.Flush(); err != nil {
		return err
	}
	return outContexts.Flush()
}

// truthText is a line of a truth file and its slots.
type truthText[T any] struct {
	raw   []byte
	slots []slot
	value T
}

func readTruth[T any](scan *scanner, from io.Reader) ([]truthText[T], error) {
	var all []truthText[T]
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxTruthLine)
	for n := 1; lines.Scan(); n++ {
		t := truthText[T]{raw: bytes.Clone(lines.Bytes())}
		if len(bytes.TrimSpace(t.raw)) == 0 {
			continue
		}
		if err := json.Unmarshal(t.raw, &t.value); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		t.slots = scan.scan(nil, t.raw, 0, false)
		all = append(all, t)
	}
	return all, lines.Err()
}

// truthCopy writes the truth of one copy.
type truthCopy struct {
	texts    []string
	suffix   string
	before   int // lines of the copies before this one
	limit    int // lines of this copy that were written
	commands map[string]bool
}

func (c *truthCopy) write(lines []truthText[truthLine], commands []truthText[command], toTruth, toContexts io.Writer) error {
	truth, contexts := json.NewEncoder(toTruth), json.NewEncoder(toContexts)
	for _, l := range lines {
		if l.value.Line > c.limit {
			continue
		}
		var t truthLine
		if err := json.Unmarshal(render(nil, l.raw, 0, len(l.raw), l.slots, c.texts), &t); err != nil {
			return err
		}
		t.Line += c.before
		if t.Context != nil {
			c.commands[*t.Context] = true
			*t.Context += c.suffix
		}
		if err := truth.Encode(t); err != nil {
			return err
		}
	}
	for _, k := range commands {
		var t command
		if err := json.Unmarshal(render(nil, k.raw, 0, len(k.raw), k.slots, c.texts), &t); err != nil {
			return err
		}
		if !c.commands[t.Context] {
			continue
		}
		t.Context += c.suffix
		t.RootLine += c.before
		if err := contexts.Encode(t); err != nil {
			return err
		}
	}
	return nil
}
