package scenario_test

import (
	"fmt"
	"strings"

	"github.com/whet-k8s/whet/lab/internal/scenario"
)

func ExampleLoad() {
	list, err := scenario.Load("mine.yaml", strings.NewReader(`
scenarios:
- name: pod-life
  about: A pod comes and goes.
  steps:
  - run: kubectl -n {{ns}} run {{name}} --image=nginx
  - run: kubectl -n {{ns}} delete pod {{name}}
    by: second
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range list[0].Steps {
		e := s.Expand(map[string]string{"ns": "shop", "name": "web"})
		fmt.Println(e.Run)
	}
	// Output:
	// kubectl -n shop run web --image=nginx
	// kubectl -n shop delete pod web
}
