package near_test

import (
	"fmt"
	"testing"

	"github.com/whet-k8s/whet/internal/near"
)

func TestWord(t *testing.T) {
	names := []string{"verb", "resource", "userGroup", "namespace"}
	for word, want := range map[string]string{
		"vreb": "verb", "usergroup": "userGroup", "resourc": "resource", "name": "namespace", "nosuch": "", "": "",
	} {
		if got := near.Word(word, names); got != want {
			t.Errorf("%q is near to %q, want %q", word, got, want)
		}
	}
}

func ExampleWord() {
	fmt.Println(near.Word("delet", []string{"create", "delete"}))
	// Output: delete
}
