// Package scenario reads scenarios: what people and automation do in a cluster,
// as data. A file holds a list:
//
//	scenarios:
//	- name: pod-life
//	  about: A pod is made, described and deleted.
//	  steps:
//	  - run: kubectl -n {{ns}} run {{name}} --image=nginx:1.27
//	  - run: kubectl -n {{ns}} describe pod {{name}}
//	    by: second
//	  - run: kubectl -n {{ns}} delete pod {{name}} --wait=false
//
// Every name that a scenario gives to an object comes from a variable
// ({{name}}, {{name2}}, {{name3}}, {{ns}}): the recorder puts random tokens
// there and knows each line of the audit log by them. [Load] refuses unknown
// fields, unknown variables, steps that do nothing, and names from elsewhere where
// it sees them, with the file and line.
package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Scenario is a chain of steps on the same objects.
type Scenario struct {
	// Name is unique among the scenarios of a recording.
	Name string `yaml:"name"`
	// About says in a sentence what happens, for the recording's card.
	About string `yaml:"about"`
	// Scope says where the scenario may run.
	Scope Scope `yaml:"scope"`
	// Needs lists what the cluster must have: operator.
	Needs []string `yaml:"needs"`
	// Steps run in order.
	Steps []Step `yaml:"steps"`
}

// Scope says where a scenario may run.
type Scope string

const (
	// Shared scenarios may run beside others in one namespace. The zero value.
	Shared Scope = ""
	// Own scenarios need a namespace to themselves: they change what everybody
	// in a namespace feels, such as a quota.
	Own Scope = "own"
	// Cluster scenarios use no namespace but may run beside others.
	Cluster Scope = "cluster"
	// Alone scenarios must be the only one in the cluster: they change what all
	// feel, such as a node.
	Alone Scope = "alone"
)

// Step is one command of one actor: a kubectl command line or a call of the
// API, never both.
type Step struct {
	// Run is a kubectl command line; see [Split] for its quotes.
	Run string `yaml:"run"`
	// Stdin is what kubectl reads, usually a manifest.
	Stdin string `yaml:"stdin"`
	// Call is a request that a program sends.
	Call *Call `yaml:"call"`
	// By says who acts: first or second (of the chain's two people), either
	// (drawn by chance, the default), or the name of an account of [Accounts].
	By string `yaml:"by"`
	// Meanwhile says that the step starts together with the one before it. What
	// they cause cannot be told apart and is unscored, as in a hurry.
	Meanwhile bool `yaml:"meanwhile"`
	// Fails says that the command must end with a failure.
	Fails bool `yaml:"fails"`
	// Settle is how long nothing may happen before the next step; the
	// recorder's own default where it is zero.
	Settle Duration `yaml:"settle"`
	// Clock is how long to stay after that. What happens then is caused by the
	// clock, which the step has set: a CronJob's ticks.
	Clock Duration `yaml:"clock"`
	// Certifies says that the command prints the newcomer's certificate as an
	// API object holds it, in base64; the newcomer acts with it from then on.
	Certifies bool `yaml:"certifies"`
	// Prints names the variable, pod, that becomes what the command prints: the
	// name of an object of the chain's, which controllers have given it.
	Prints string `yaml:"prints"`
	// Timeout ends the recording when the command takes longer; a minute where
	// it is zero.
	Timeout Duration `yaml:"timeout"`
}

// Call is one request to the API server.
type Call struct {
	Method string `yaml:"method"`
	// Path is the URI from the slash on, with its query.
	Path string `yaml:"path"`
	// Body is sent as it stands.
	Body string `yaml:"body"`
	// ContentType is application/json where it is empty.
	ContentType string `yaml:"contentType"`
	// UserAgent is what the program calls itself.
	UserAgent string `yaml:"userAgent"`
}

// Duration is a time.Duration that YAML writes as 1m30s.
type Duration time.Duration

// UnmarshalYAML reads a duration as time.ParseDuration does.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	v, err := time.ParseDuration(node.Value)
	if err != nil || v < 0 {
		return fmt.Errorf("line %d: %q is not a duration such as 90s or 2m", node.Line, node.Value)
	}
	*d = Duration(v)
	return nil
}

// Accounts are the actors that By may name beside people: an intern who may
// only read, an intruder with a stolen service account, service accounts of
// automation, and a newcomer, who has a certificate only after a step that
// certifies.
func Accounts() []string {
	return []string{"intern", "ci", "gitops", "intruder", newcomer}
}

const newcomer = "newcomer"

// printed is the variable that a step's output may become.
const printed = "pod"

// Load reads a file of scenarios; name stands in the errors.
func Load(name string, r io.Reader) ([]Scenario, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	var file struct {
		Scenarios []Scenario `yaml:"scenarios"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("reading %s: the file is empty", name)
		}
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(file.Scenarios) == 0 {
		return nil, fmt.Errorf("reading %s: no scenarios in it", name)
	}
	for i := range file.Scenarios {
		if err := file.Scenarios[i].check(); err != nil {
			return nil, fmt.Errorf("reading %s: scenario %d: %w", name, i+1, err)
		}
	}
	return file.Scenarios, nil
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

func (s *Scenario) check() error {
	if !nameForm.MatchString(s.Name) {
		return fmt.Errorf("the name %q is not lower-case letters, digits and dashes", s.Name)
	}
	switch s.Scope {
	case Shared, Own, Cluster, Alone:
	default:
		return fmt.Errorf("%s: the scope %q is none of own, cluster and alone", s.Name, s.Scope)
	}
	if len(s.Steps) == 0 {
		return fmt.Errorf("%s: no steps", s.Name)
	}
	certified, prints := false, false
	for i := range s.Steps {
		step := &s.Steps[i]
		if err := step.check(s.Scope); err != nil {
			return fmt.Errorf("%s: step %d: %w", s.Name, i+1, err)
		}
		if step.By == newcomer && !certified {
			return fmt.Errorf("%s: step %d: the newcomer has no certificate before a step that certifies", s.Name, i+1)
		}
		if step.Meanwhile && (i == 0 || s.Steps[i-1].alone() || step.Certifies || step.Prints != "") {
			return fmt.Errorf("%s: step %d: it cannot start together with the one before it: neither may print, and only the last may set a clock", s.Name, i+1)
		}
		if contains(step.Variables(), printed) && !prints {
			return fmt.Errorf("%s: step %d: {{%s}} has no value before a step that prints it", s.Name, i+1, printed)
		}
		certified, prints = certified || step.Certifies, prints || step.Prints == printed
	}
	return nil
}

// alone says that nothing may start together with the step.
func (s *Step) alone() bool { return s.Certifies || s.Prints != "" || s.Clock > 0 }

func (s *Step) check(scope Scope) error {
	if (s.Run == "") == (s.Call == nil) {
		return errors.New("a step has either run or call")
	}
	if s.Call != nil && (s.Call.Method == "" || !strings.HasPrefix(s.Call.Path, "/")) {
		return errors.New("a call has a method and a path that starts with a slash")
	}
	if (s.Certifies || s.Prints != "") && s.Run == "" {
		return errors.New("only a command certifies or prints, not a call")
	}
	if s.Prints != "" && s.Prints != printed {
		return fmt.Errorf("prints %q: the variable that a command may print is %s", s.Prints, printed)
	}
	if s.Run != "" {
		words, err := Split(s.Run)
		if err != nil {
			return err
		}
		if words[0] != "kubectl" {
			return fmt.Errorf("only kubectl runs, not %q", words[0])
		}
	}
	switch s.By {
	case "", "either", "first", "second":
	default:
		if !contains(Accounts(), s.By) {
			return fmt.Errorf("by %q is none of first, second, either, %s", s.By, strings.Join(Accounts(), ", "))
		}
	}
	vars := s.Variables()
	for _, v := range vars {
		if !contains(Variables(), v) {
			return fmt.Errorf("no variable is called {{%s}}; there are %s", v, strings.Join(Variables(), ", "))
		}
	}
	if scope == Cluster && contains(vars, "ns") {
		return errors.New("a scenario of scope cluster has no {{ns}}")
	}
	return s.checkNames(scope)
}

var variable = regexp.MustCompile(`\{\{([A-Za-z0-9]*)\}\}`)

// Variables lists the variables that a scenario may use: ns, the namespace;
// name and name2, names for objects in it, name3, a name for objects of the
// cluster; Name and Name3, these with a capital; first and second, the two
// people's user names; node and node2, two nodes; newcomer, the newcomer's user
// name, and request, the newcomer's certificate request as an API object holds
// it; pod, what a step has printed.
func Variables() []string {
	return []string{"ns", "name", "name2", "name3", "Name", "Name3", "first", "second", "node", "node2", newcomer, "request", printed}
}

// Variables lists the variables that the step uses, each once, sorted.
func (s *Step) Variables() []string {
	seen := map[string]bool{}
	for _, text := range s.texts() {
		for _, m := range variable.FindAllStringSubmatch(*text, -1) {
			seen[m[1]] = true
		}
	}
	return sorted(seen)
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	sort.Strings(out)
	return out
}

var suffix = regexp.MustCompile(`\{\{name[23]?\}\}(-[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`)

// Suffixes lists what the scenarios put behind a name to make another name of
// it, each once, sorted.
func Suffixes(list []Scenario) []string {
	seen := map[string]bool{}
	for i := range list {
		for k := range list[i].Steps {
			for _, text := range list[i].Steps[k].texts() {
				for _, m := range suffix.FindAllStringSubmatch(*text, -1) {
					seen[m[1]] = true
				}
			}
		}
	}
	return sorted(seen)
}

// Expand returns the step with its variables replaced. A variable without a
// value stays as it is: Load has refused unknown ones.
func (s *Step) Expand(values map[string]string) Step {
	out := *s
	if s.Call != nil {
		call := *s.Call
		out.Call = &call
	}
	for _, text := range out.texts() {
		*text = variable.ReplaceAllStringFunc(*text, func(m string) string {
			if v, ok := values[m[2:len(m)-2]]; ok {
				return v
			}
			return m
		})
	}
	return out
}

// texts returns the texts of a step that may hold variables.
func (s *Step) texts() []*string {
	out := []*string{&s.Run, &s.Stdin}
	if s.Call != nil {
		out = append(out, &s.Call.Path, &s.Call.Body)
	}
	return out
}

// UsesNamespace says whether any step of the scenario names the namespace.
func (s *Scenario) UsesNamespace() bool {
	for i := range s.Steps {
		if contains(s.Steps[i].Variables(), "ns") {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// Split splits a command line into words as a shell does with spaces, single
// and double quotes. Nothing else is special: no variables, no globs, no
// backslashes, so JSON can stand in single quotes as it is.
func Split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %c is not closed in %q", quote, line)
	}
	if open {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("the command line is empty")
	}
	return words, nil
}
