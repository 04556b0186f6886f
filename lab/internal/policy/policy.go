// Package policy holds the audit policies that the lab offers and shows what a
// log recorded at level RequestResponse would look like under each.
//
// [Named] gives a policy's YAML, for an API server or for [New]. A recording is
// always made at RequestResponse, since its truth comes from names in bodies;
// [Policy.Apply] then cuts each line down with the API server's own evaluator
// of policies, so that one run gives recordings at every level.
package policy

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"sort"
	"strings"

	audit "k8s.io/apiserver/pkg/apis/audit"
	kubepolicy "k8s.io/apiserver/pkg/audit"
	evaluator "k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

//go:embed policies/*.yaml
var files embed.FS

// Everything is the policy that recordings are made with.
const Everything = "request-response"

// Metadata is the policy of a recording's metadata file.
const Metadata = "metadata"

// Names lists the policies, sorted.
func Names() []string {
	entries, err := files.ReadDir("policies")
	if err != nil {
		// The folder is part of the program.
		panic(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	sort.Strings(out)
	return out
}

// Named returns the YAML of a policy.
func Named(name string) ([]byte, error) {
	data, err := files.ReadFile("policies/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no audit policy is called %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return data, nil
}

// Read returns the YAML of a policy by its name, or of a file: what has a slash or
// ends in .yaml names one. The file's policy is checked.
func Read(name string) ([]byte, error) {
	if !strings.Contains(name, "/") && !strings.HasSuffix(name, ".yaml") {
		return Named(name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the audit policy: %w", err)
	}
	if _, err := New(name, data); err != nil {
		return nil, err
	}
	return data, nil
}

// Policy decides what is logged of each request. Use [New].
type Policy struct {
	name  string
	rules kubepolicy.PolicyRuleEvaluator
}

// New reads a policy's YAML (audit.k8s.io/v1 Policy); name stands in the errors.
func New(name string, data []byte) (*Policy, error) {
	p, err := evaluator.LoadPolicyFromBytes(data)
	if err != nil {
		return nil, fmt.Errorf("reading the audit policy %s: %w", name, err)
	}
	return &Policy{name: name, rules: evaluator.NewPolicyRuleEvaluator(p)}, nil
}

// Name returns the policy's name.
func (p *Policy) Name() string { return p.name }

// request holds the fields of an event that policies look at.
type request struct {
	Stage      string `json:"stage"`
	RequestURI string `json:"requestURI"`
	Verb       string `json:"verb"`
	User       struct {
		Username string   `json:"username"`
		Groups   []string `json:"groups"`
	} `json:"user"`
	ObjectRef *struct {
		Resource, Namespace, Name, APIGroup, APIVersion, Subresource string
	} `json:"objectRef"`
}

// Level returns the level at which the policy logs the event in the line: None,
// Metadata, Request or RequestResponse. None stands also for an omitted stage.
func (p *Policy) Level(line []byte) (string, error) {
	config, err := p.evaluate(line)
	if err != nil {
		return "", err
	}
	return string(config.Level), nil
}

func (p *Policy) evaluate(line []byte) (kubepolicy.RequestAuditConfig, error) {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return kubepolicy.RequestAuditConfig{}, fmt.Errorf("reading an audit event: %w", err)
	}
	path := r.RequestURI
	if u, err := url.Parse(r.RequestURI); err == nil {
		path = u.Path
	}
	attrs := authorizer.AttributesRecord{
		User: &user.DefaultInfo{Name: r.User.Username, Groups: r.User.Groups},
		Verb: r.Verb, Path: path,
	}
	if o := r.ObjectRef; o != nil && o.Resource != "" {
		attrs.ResourceRequest = true
		attrs.Resource, attrs.Subresource, attrs.Namespace, attrs.Name = o.Resource, o.Subresource, o.Namespace, o.Name
		attrs.APIGroup, attrs.APIVersion = o.APIGroup, o.APIVersion
	}
	config := p.rules.EvaluatePolicyRule(attrs)
	for _, s := range config.OmitStages {
		if string(s) == r.Stage {
			config.Level = audit.LevelNone
		}
	}
	return config, nil
}

// Apply returns the line as the policy would have written it, without a newline,
// and false where it would have written none. The line must be of level
// RequestResponse.
func (p *Policy) Apply(line []byte) ([]byte, bool, error) {
	config, err := p.evaluate(line)
	if err != nil {
		return nil, false, err
	}
	if config.Level == audit.LevelNone {
		return nil, false, nil
	}
	fields, err := readObject(line)
	if err != nil {
		return nil, false, err
	}
	kept := fields[:0]
	for _, f := range fields {
		switch f.key {
		case "level":
			f.value = json.RawMessage(`"` + string(config.Level) + `"`)
		case "responseObject":
			if config.Level.Less(audit.LevelRequestResponse) {
				continue
			}
		case "requestObject":
			if config.Level.Less(audit.LevelRequest) {
				continue
			}
		}
		if config.OmitManagedFields && (f.key == "requestObject" || f.key == "responseObject") {
			if f.value, err = withoutManagedFields(f.value); err != nil {
				return nil, false, err
			}
		}
		kept = append(kept, f)
	}
	return writeObject(kept), true, nil
}

// field is a member of a JSON object, its value as it stands.
type field struct {
	key   string
	value json.RawMessage
}

// readObject reads the members of a JSON object in their order.
func readObject(data []byte) ([]field, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("an audit event is no JSON object: %.40q", data)
	}
	var out []field
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("reading an audit event: %w", err)
		}
		f := field{key: key.(string)} // a member's key is always a string
		if err := dec.Decode(&f.value); err != nil {
			return nil, fmt.Errorf("reading the field %s of an audit event: %w", f.key, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func writeObject(fields []field) []byte {
	out := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := json.Marshal(f.key)
		if err != nil {
			// A string always has an encoding.
			panic(err)
		}
		out = append(append(append(out, key...), ':'), f.value...)
	}
	return append(out, '}')
}

// withoutManagedFields removes metadata.managedFields from an object and, in a
// list, from each item, as the API server does.
func withoutManagedFields(value json.RawMessage) (json.RawMessage, error) {
	if !bytes.Contains(value, []byte(`"managedFields"`)) {
		return value, nil
	}
	fields, err := readObject(value)
	if err != nil {
		return value, nil //nolint:nilerr // A JSON patch is an array and has none.
	}
	for i, f := range fields {
		switch f.key {
		case "metadata":
			meta, err := readObject(f.value)
			if err != nil {
				continue
			}
			kept := meta[:0]
			for _, m := range meta {
				if m.key != "managedFields" {
					kept = append(kept, m)
				}
			}
			fields[i].value = writeObject(kept)
		case "items":
			var items []json.RawMessage
			if err := json.Unmarshal(f.value, &items); err != nil {
				continue
			}
			for n := range items {
				if items[n], err = withoutManagedFields(items[n]); err != nil {
					return nil, err
				}
			}
			if fields[i].value, err = json.Marshal(items); err != nil {
				return nil, fmt.Errorf("writing a list's items: %w", err)
			}
		}
	}
	return writeObject(fields), nil
}
