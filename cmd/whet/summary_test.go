package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/pipeline"
)

// TestSummaryBringsPartsTogether wants one row of a context that came in two
// parts, and the contexts of an operation below each other.
func TestSummaryBringsPartsTogether(t *testing.T) {
	begun := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	context := func(id, operation, action string, part, second, effects int) *pipeline.Context {
		return &pipeline.Context{
			ID: id, Operation: operation, Part: part, Actor: pipeline.Actor{Username: "alice"}, Action: action,
			Outcome: pipeline.Outcome{Code: 200}, Start: begun.Add(time.Duration(second) * time.Second),
			End:     begun.Add(time.Duration(second+1) * time.Second),
			Effects: effects, EffectsBy: map[string]int{"system:node:worker1": effects},
		}
	}
	s := newSummary(&screen{}, false)
	for _, c := range []*pipeline.Context{
		context("b", "op1", "create service shop/web", 1, 2, 1),
		context("c", "op2", "delete pod shop/old", 1, 1, 1),
		context("a", "op1", "create deployment shop/web", 1, 0, 3),
		context("a", "op1", "create deployment shop/web", 2, 59, 4),
	} {
		if err := s.add(c); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := s.print(&out, &pipeline.Accounting{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"TIME      WHO    WHAT                        OUTCOME  FOLLOWED BY    SPAN",
		"18:00:00  alice  create deployment shop/web  ok       7 by kubelet  1m00s",
		"18:00:02         └ create service shop/web   ok       1 by kubelet   1.0s",
		"18:00:01  alice  delete pod shop/old         ok       1 by kubelet   1.0s",
	}
	got := strings.Split(out.String(), "\n")
	for i, line := range want {
		if got[i] != line {
			t.Errorf("line %d is\n%s\nwant\n%s", i, got[i], line)
		}
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"":                          {},
		"2026-11-22":                time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		"2026-11-22 10:30":          time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC),
		"2026-11-22T10:30:05":       time.Date(2026, 11, 22, 10, 30, 5, 0, time.UTC),
		"2026-11-22T10:30:05+02:00": time.Date(2026, 11, 22, 8, 30, 5, 0, time.UTC),
		"90m":                       now.Add(-90 * time.Minute),
	} {
		got, err := parseTime("--since", in, now)
		if err != nil || !got.Equal(want) {
			t.Errorf("%q is %v (%v), want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"yesterday", "-2h", "25:00"} {
		_, err := parseTime("--since", in, now)
		var exit *exitError
		if !errors.As(err, &exit) || exit.code != exitUsage {
			t.Errorf("%q gives the error %v, want one of usage", in, err)
		}
	}
}

func TestChoice(t *testing.T) {
	root := &audit.Event{
		User: audit.User{Username: "system:serviceaccount:ci:deployer"}, Impersonated: &audit.User{Username: "team/lead"},
		Object: audit.ObjectRef{Resource: "namespaces", Namespace: "shop", Name: "shop"},
	}
	for _, tt := range []struct {
		choice choice
		want   bool
	}{
		{choice{actors: []string{"system:serviceaccount:ci:*"}}, true},
		{choice{actors: []string{"team/*"}}, true},
		{choice{actors: []string{"t*d"}}, true},
		{choice{actors: []string{"alice", "bob"}}, false},
		{choice{namespaces: []string{"sh?p"}}, true},
		{choice{namespaces: []string{"shop-test"}, actors: []string{"*"}}, false},
	} {
		if got := tt.choice.selects()(root); got != tt.want {
			t.Errorf("%+v gives %t", tt.choice, got)
		}
	}
	if (&choice{}).selects() != nil {
		t.Error("no choice should select everything")
	}
}

func TestOutcomeText(t *testing.T) {
	for _, tt := range []struct {
		code   int32
		reason string
		want   string
	}{
		{0, "", "unknown"}, {201, "", "ok"}, {101, "", "ok"}, {403, "Forbidden", "refused 403"}, {404, "NotFound", "not found 404"},
		{409, "AlreadyExists", "exists already 409"}, {409, "Conflict", "conflict 409"}, {422, "Invalid", "invalid 422"},
		{500, "InternalError", "InternalError 500"}, {503, "", "failed 503"},
	} {
		if got, _ := outcomeText(&pipeline.Outcome{Code: tt.code, Reason: tt.reason}); got != tt.want {
			t.Errorf("%d %s is %q, want %q", tt.code, tt.reason, got, tt.want)
		}
	}
}

// TestSpan wants lengths rounded, also where that brings them to the next unit.
func TestSpan(t *testing.T) {
	begun := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	for took, want := range map[time.Duration]string{
		-time.Second:                        "",
		0:                                   "0ms",
		350*time.Millisecond + 600_000:      "351ms",
		999*time.Millisecond + 600_000:      "1.0s",
		4*time.Second + 260_000_000:         "4.3s",
		59*time.Second + 960_000_000:        "1m00s",
		2*time.Minute + 42*time.Second:      "2m42s",
		59*time.Minute + 59*time.Second:     "59m59s",
		3*time.Hour - time.Second:           "3h00m",
		26*time.Hour + 20*time.Minute + 1e9: "26h20m",
	} {
		row := &summaryRow{start: begun, end: begun.Add(took)}
		if got := row.span(); got != want {
			t.Errorf("%v is %q, want %q", took, got, want)
		}
	}
}
