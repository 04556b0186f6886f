package replicate_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/whet-k8s/whet/internal/replicate"
)

func Example() {
	log := `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"88874686-9ca0-4a4c-97b3-51adcc33084e","stage":"ResponseComplete",` +
		`"objectRef":{"namespace":"shop"},"requestReceivedTimestamp":"2026-11-23T18:21:47.774155Z"}`
	recording, err := replicate.Read(context.Background(), []string{"-"}, strings.NewReader(log))
	if err != nil {
		fmt.Println(err)
		return
	}
	var copies strings.Builder
	if _, err := recording.Write(context.Background(), &copies, replicate.Options{Copies: 2, Seed: 1}); err != nil {
		fmt.Println(err)
		return
	}
	for _, event := range strings.Split(strings.TrimSpace(copies.String()), "\n") {
		fmt.Println(event[strings.Index(event, `"objectRef"`):])
	}
	// Output:
	// "objectRef":{"namespace":"shop-r1"},"requestReceivedTimestamp":"2026-11-23T18:21:47.774155Z"}
	// "objectRef":{"namespace":"shop-r2"},"requestReceivedTimestamp":"2026-11-23T18:21:58.774155Z"}
}
