package label

import "testing"

func TestPartsGiveTheLabelBack(t *testing.T) {
	codec := New(Options{})
	for _, l := range append(codec.Space(), codec.NewSpace()...) {
		parts := l.Parts()
		if got := parts.Label(); got != l {
			t.Errorf("label %d: its parts %+v make %d", l, parts, got)
		}
		action, err := codec.Decode(l)
		if err != nil {
			t.Fatal(err)
		}
		if parts.Resource != action.ID || parts.Subresource != action.SubresourceID ||
			parts.Named != action.Named || parts.Namespaced != action.Namespaced {
			t.Errorf("label %d: parts %+v, action %+v", l, parts, action)
		}
	}
	for _, l := range []Label{Unknown, Ignored, maxLabel + 1} {
		if parts := l.Parts(); parts != (Parts{}) {
			t.Errorf("label %d has parts: %+v", l, parts)
		}
	}
}
