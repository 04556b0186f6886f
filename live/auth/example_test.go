package auth_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/whet-k8s/whet/live/auth"
)

// The API servers of one cluster show a token.
func Example() {
	dir, err := os.MkdirTemp("", "whet-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	tokens := filepath.Join(dir, "prod.token")
	if err := os.WriteFile(tokens, []byte("9f2c5e8d41b07a63c2d9e5f80a1b7c4d\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{Clients: []auth.Client{
		{Name: "prod-apiserver", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"prod"}, TokenFile: tokens},
	}})
	if err != nil {
		log.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodPost, "/ingest/prod", nil)
	_, err = a.Identify(request)
	fmt.Println(err)
	request.Header.Set("Authorization", "Bearer 9f2c5e8d41b07a63c2d9e5f80a1b7c4d")
	who, err := a.Identify(request)
	fmt.Println(who.Name, who.MayIngest("prod"), who.MayIngest("test"), err)
	// Output:
	// no credential: send a token as Authorization: Bearer, or use a client certificate
	// prod-apiserver true false <nil>
}
