package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what the sessions print into testdata")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"whet": main})
}

// TestScripts runs the terminal sessions in testdata. $RECORDINGS is the folder
// with the recordings.
func TestScripts(t *testing.T) {
	recordings, err := filepath.Abs("../../recordings")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("RECORDINGS", recordings)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"append": appendFile, "eventually": eventually},
	})
}

// appendFile is the command append TO FROM, which adds a file to the end of
// another one, as a log is written.
func appendFile(ts *testscript.TestScript, _ bool, args []string) {
	to, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	ts.Check(err)
	_, err = to.WriteString(ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(to.Close())
}

// eventually is the command eventually PATTERN COMMAND..., which runs a command
// until its output matches.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if out := ts.ReadFile("stdout"); err == nil && pattern.MatchString(out) {
			return
		} else if time.Now().After(deadline) {
			ts.Fatalf("%q never came: %v\n%s%s", args[0], err, out, ts.ReadFile("stderr"))
		}
	}
}
