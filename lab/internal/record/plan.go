package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/lab/internal/scenario"
	"go.yaml.in/yaml/v3"
)

// Plan says how a recording is made: who acts, and which scenarios run in which
// way. It is written in YAML; plans.go shows what the lab brings.
type Plan struct {
	// Nodes and People count the kubelets and the people.
	Nodes  int `yaml:"nodes"`
	People int `yaml:"people"`
	// Operator says that the sample controller runs in the cluster.
	Operator bool `yaml:"operator"`
	// Idle is how long nothing happens at the start.
	Idle scenario.Duration `yaml:"idle"`
	// Settle is how long nothing may happen before the next step.
	Settle scenario.Duration `yaml:"settle"`
	// Phases follow each other.
	Phases []Phase `yaml:"phases"`
}

// Phase runs chains of scenarios in one way.
type Phase struct {
	Mode Mode `yaml:"mode"`
	// Chains is how many chains run; each scenario that fits is used once
	// before one is used again. Zero means every fitting scenario once.
	Chains int `yaml:"chains"`
	// Workers is how many chains run at once, Spaces how many shared namespaces
	// they share in the modes together and rapid.
	Workers int `yaml:"workers"`
	Spaces  int `yaml:"spaces"`
	// Pairs says that each chain has two people who take turns on its objects.
	Pairs bool `yaml:"pairs"`
	// Pause is the longest time that somebody thinks before a step.
	Pause scenario.Duration `yaml:"pause"`
	// Only limits the phase to these scenarios.
	Only []string `yaml:"only"`
}

// Mode is a way to run chains.
type Mode string

const (
	// OneByOne runs one chain at a time, each in a namespace of its own.
	OneByOne Mode = "alone"
	// Apart runs many at once, each in a namespace of its own.
	Apart Mode = "apart"
	// Together runs many at once in shared namespaces.
	Together Mode = "together"
	// Rapid runs many at once in shared namespaces, and nobody waits for
	// silence before the next step.
	Rapid Mode = "rapid"
)

// LoadPlan reads a plan; name stands in the errors.
func LoadPlan(name string, r io.Reader) (*Plan, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	var p Plan
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("reading the plan %s: %w", name, err)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("reading the plan %s: %w", name, err)
	}
	return &p, nil
}

func (p *Plan) check() error {
	if p.Nodes < 1 || p.Nodes > 50 {
		return fmt.Errorf("nodes is %d; it must be between 1 and 50", p.Nodes)
	}
	if p.People < 2 || p.People > len(peopleNames) {
		return fmt.Errorf("people is %d; it must be between 2 and %d", p.People, len(peopleNames))
	}
	if p.Settle <= 0 {
		return errors.New("settle is missing: how long nothing may happen before the next step")
	}
	if len(p.Phases) == 0 {
		return errors.New("a plan has at least one phase")
	}
	for i := range p.Phases {
		f := &p.Phases[i]
		switch f.Mode {
		case OneByOne:
			f.Workers = 1
		case Apart:
		case Together, Rapid:
			if f.Spaces < 1 {
				return fmt.Errorf("phase %d: %s needs spaces: how many namespaces are shared", i+1, f.Mode)
			}
		default:
			return fmt.Errorf("phase %d: the mode %q is none of alone, apart, together and rapid", i+1, f.Mode)
		}
		each := 1
		if f.Pairs {
			each = 2
		}
		if f.Workers < 1 || f.Workers*each > p.People {
			return fmt.Errorf("phase %d: %d workers with %d people each do not fit %d people", i+1, f.Workers, each, p.People)
		}
	}
	return nil
}

// check finds what must be wrong with a recording before anything is started,
// and returns which scenarios fit each phase. Of scenarios that somebody chose,
// some phases may fit none; these are left out.
func (o *Options) check() ([][]*scenario.Scenario, error) {
	if o.Plan.Operator && o.Operator == "" {
		return nil, fmt.Errorf("the plan %s wants the operator, and its program is not beside %s: build it with make lab", o.PlanName, o.Lab)
	}
	fitting := make([][]*scenario.Scenario, len(o.Plan.Phases))
	some := false
	for n := range o.Plan.Phases {
		f := &o.Plan.Phases[n]
		for _, name := range f.Only {
			if !slices.Contains(o.Known, name) {
				return nil, fmt.Errorf("the plan %s, phase %d: only names %s, and no scenario is called that", o.PlanName, n+1, name)
			}
		}
		for i := range o.Scenarios {
			if s := &o.Scenarios[i]; f.fits(s, o.Plan.Operator) {
				fitting[n] = append(fitting[n], s)
			}
		}
		if len(fitting[n]) == 0 && len(o.Arguments) == 0 {
			return nil, fmt.Errorf("the plan %s, phase %d: no scenario fits the mode %s and what else the phase asks for", o.PlanName, n+1, f.Mode)
		}
		some = some || len(fitting[n]) > 0
	}
	if !some {
		return nil, fmt.Errorf("none of the scenarios that %s names fits any phase of the plan %s: see their scope and needs, and the phases' mode and only", strings.Join(o.Arguments, " "), o.PlanName)
	}
	return fitting, nil
}

// fits says whether a scenario may run in a phase.
func (f *Phase) fits(s *scenario.Scenario, operator bool) bool {
	if len(f.Only) > 0 {
		found := false
		for _, o := range f.Only {
			found = found || o == s.Name
		}
		if !found {
			return false
		}
	}
	for _, n := range s.Needs {
		if n == "operator" && !operator {
			return false
		}
	}
	switch s.Scope {
	case scenario.Alone:
		return f.Mode == OneByOne
	case scenario.Own:
		return f.Mode == OneByOne || f.Mode == Apart
	}
	return true
}

// peopleNames are the people who may take part.
var peopleNames = []string{
	"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "niaj",
	"olivia@example.com", "peggy@example.com", "rupert@example.com", "sybil@example.com",
	"oidc:trent", "oidc:uma", "oidc:victor", "oidc:wendy", "dev-team/xavier", "dev-team/yolanda", "sre-zoe", "sre-walter",
}
