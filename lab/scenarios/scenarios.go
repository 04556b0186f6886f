// Package scenarios holds the lab's own scenarios and plans as YAML files:
// scenes/*.yaml, read by package scenario, and plans/*.yaml, read by package
// record. [Choose] and [OpenPlan] find them by name and read users' own files.
package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/whet-k8s/whet/lab/internal/scenario"
)

//go:embed scenes/*.yaml plans/*.yaml
var files embed.FS

// All returns the lab's own scenarios, sorted by name.
func All() ([]scenario.Scenario, error) {
	entries, err := files.ReadDir("scenes")
	if err != nil {
		return nil, fmt.Errorf("reading the lab's scenarios: %w", err)
	}
	var out []scenario.Scenario
	for _, e := range entries {
		f, err := files.Open("scenes/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the lab's scenarios: %w", err)
		}
		list, err := scenario.Load(e.Name(), f)
		f.Close()
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, distinct(out)
}

// distinct sorts scenarios and fails where two have one name.
func distinct(list []scenario.Scenario) error {
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	for i := 1; i < len(list); i++ {
		if list[i].Name == list[i-1].Name {
			return fmt.Errorf("two scenarios are called %s", list[i].Name)
		}
	}
	return nil
}

// Choose returns the scenarios that the arguments name: files, folders of
// .yaml files, or names of the lab's own. Without arguments it returns all of
// the lab's own.
func Choose(args []string) ([]scenario.Scenario, error) {
	own, err := All()
	if err != nil || len(args) == 0 {
		return own, err
	}
	byName := map[string]scenario.Scenario{}
	for _, s := range own {
		byName[s.Name] = s
	}
	var out []scenario.Scenario
	for _, arg := range args {
		if s, ok := byName[arg]; ok {
			out = append(out, s)
			continue
		}
		list, err := readPath(arg)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s is no file, no folder, and none of the lab's scenarios: %s", arg, strings.Join(sortedNames(byName), ", "))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, distinct(out)
}

func sortedNames(m map[string]scenario.Scenario) []string {
	out := make([]string, 0, len(m))
	for n := range m {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

func readPath(path string) ([]scenario.Scenario, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading scenarios: %w", err)
	}
	paths := []string{path}
	if info.IsDir() {
		if paths, err = filepath.Glob(filepath.Join(path, "*.yaml")); err != nil {
			return nil, fmt.Errorf("reading scenarios: %w", err)
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("reading scenarios: no .yaml file in %s", path)
		}
	}
	var out []scenario.Scenario
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			return nil, fmt.Errorf("reading scenarios: %w", err)
		}
		list, err := scenario.Load(p, f)
		f.Close()
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// Plans lists the names of the lab's own plans.
func Plans() []string {
	entries, err := files.ReadDir("plans")
	if err != nil {
		// The folder is part of the program.
		panic(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// OpenPlan opens one of the lab's own plans by name, or a file.
func OpenPlan(name string) (io.ReadCloser, error) {
	if f, err := files.Open("plans/" + name + ".yaml"); err == nil {
		return f, nil
	}
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is no file and none of the lab's plans: %s", name, strings.Join(Plans(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("reading a plan: %w", err)
	}
	return f, nil
}
