package main

import (
	"flag"
	"path/filepath"
	"testing"

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
	})
}
