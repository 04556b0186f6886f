package policy_test

import (
	"fmt"

	"github.com/whet-k8s/whet/lab/internal/policy"
)

func ExamplePolicy_Apply() {
	data, err := policy.Named(policy.Metadata)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := policy.New(policy.Metadata, data)
	if err != nil {
		fmt.Println(err)
		return
	}
	line := `{"level":"RequestResponse","stage":"ResponseComplete","verb":"get","objectRef":{"resource":"secrets"},"responseObject":{"data":{"password":"c3dvcmRmaXNo"}}}`
	cut, logged, err := p.Apply([]byte(line))
	fmt.Println(logged, err)
	fmt.Println(string(cut))
	// Output:
	// true <nil>
	// {"level":"Metadata","stage":"ResponseComplete","verb":"get","objectRef":{"resource":"secrets"}}
}
