package pipeline

// tagRuleBits is how much of a tag names the noise rule; the rest is the
// event's place in the input, enough for 2^48 events.
const tagRuleBits = 16

// ruleTable numbers the noise rules that set an event aside, so that the
// decision travels with the event's tag.
type ruleTable struct {
	ids     []string
	numbers map[string]uint64
}

func newRuleTable() ruleTable {
	return ruleTable{ids: []string{""}, numbers: map[string]uint64{"": 0}}
}

// tag packs an event's place and its rule. Of a policy with more than 65,535
// rules the last ones share the number of no rule.
func (t *ruleTable) tag(seq uint64, rule string) uint64 {
	n, ok := t.numbers[rule]
	if !ok && len(t.ids) < 1<<tagRuleBits {
		n = uint64(len(t.ids))
		t.ids = append(t.ids, rule)
		t.numbers[rule] = n
	}
	return seq<<tagRuleBits | n
}

// split takes a tag apart again.
func (t *ruleTable) split(tag uint64) (seq uint64, rule string) {
	return tag >> tagRuleBits, t.ids[tag&(1<<tagRuleBits-1)]
}
