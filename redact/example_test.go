package redact_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/whet-k8s/whet/redact"
)

func Example() {
	r, err := redact.New([]byte("16 bytes or more, by chance"))
	if err != nil {
		log.Fatal(err)
	}
	line := `{"verb":"patch","objectRef":{"resource":"secrets"},"requestObject":{"stringData":{"password":"hunter2"}}}`
	redacted := string(r.Raw(nil, []byte(line)))
	fmt.Println(redacted)
	fmt.Println(strings.Contains(redacted, r.Hash("hunter2")))
	// Output:
	// {"verb":"patch","objectRef":{"resource":"secrets"},"requestObject":{"stringData":{"password":"redacted:hmac-sha256:cd6ce966b3a28ab6"}}}
	// true
}
