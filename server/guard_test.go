package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	for _, tt := range []struct {
		name, listen, host, path string
		hosts                    []string
		header                   map[string]string
		want                     int
	}{
		{name: "its own address", host: "127.0.0.1:8080", want: 200},
		{name: "localhost", host: "localhost:8080", want: 200},
		{name: "localhost, large letters", host: "LocalHost:8080", want: 200},
		{name: "IPv6 loopback", host: "[::1]:8080", want: 200},
		{name: "a tunnel's port", host: "localhost:9999", want: 200},
		{name: "no port", host: "localhost", want: 200},
		{name: "a foreign name, rebound", host: "evil.example:8080", want: 403},
		{name: "a name that only begins well", host: "localhost.evil.example:8080", want: 403},
		{name: "another address", host: "10.0.0.1:8080", want: 403},
		{name: "no host", host: "", want: 403},
		{name: "every address", listen: "0.0.0.0:8080", host: "10.0.0.1:8080", want: 200},
		{name: "every address, no name", listen: ":8080", host: "evil.example", want: 403},
		{name: "a name of its own", listen: ":8080", hosts: []string{"Whet.example.org"}, host: "whet.example.org", want: 200},
		{name: "its address beyond loopback", listen: "10.0.0.5:8080", host: "10.0.0.5:8080", want: 200},

		{name: "own origin", host: "localhost:8080", header: map[string]string{"Origin": "http://localhost:8080"}, want: 200},
		{name: "another port's origin", host: "localhost:8080", header: map[string]string{"Origin": "http://localhost:3000"}, want: 403},
		{name: "foreign origin", host: "localhost:8080", header: map[string]string{"Origin": "https://evil.example"}, want: 403},
		{name: "no origin's origin", host: "localhost:8080", header: map[string]string{"Origin": "null"}, want: 403},

		{name: "the app", host: "localhost:8080", header: map[string]string{"Sec-Fetch-Site": "same-origin"}, want: 200},
		{name: "typed by the user", host: "localhost:8080", header: map[string]string{"Sec-Fetch-Site": "none"}, want: 200},
		{name: "a foreign page", host: "localhost:8080", header: map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, want: 403},
		{name: "another port's page", host: "localhost:8080", header: map[string]string{"Sec-Fetch-Site": "same-site"}, want: 403},
		{
			name: "a link to a page of the app", host: "localhost:8080", path: "/context/1",
			header: map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, want: 200,
		},
		{
			name: "a frame of the app in a foreign page", host: "localhost:8080", path: "/context/1",
			header: map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, want: 403,
		},
		{
			name: "a link to the API", host: "localhost:8080",
			header: map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, want: 403,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.listen == "" {
				tt.listen = "127.0.0.1:8080"
			}
			if tt.path == "" {
				tt.path = "/api/v1/info"
			}
			g := &guard{hostsOf(tt.listen, tt.hosts), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
			r := httptest.NewRequest(http.MethodGet, tt.path, nil)
			r.Host = tt.host
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			policy := w.Header().Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
				!strings.Contains(policy, "frame-ancestors 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("the headers do not protect: %v", w.Header())
			}
		})
	}
}

func TestCheckListen(t *testing.T) {
	for _, tt := range []struct {
		address string
		guarded bool
		wrong   string
	}{
		{"127.0.0.1:8080", false, ""},
		{"127.8.9.1:0", false, ""},
		{"[::1]:8080", false, ""},
		{"localhost:8080", false, ""},
		{"[::ffff:127.0.0.1]:8080", false, ""},
		{":8080", false, "can be reached by others"},
		{"0.0.0.0:8080", false, "can be reached by others"},
		{"[::]:8080", false, "can be reached by others"},
		{"10.0.0.5:8080", false, "can be reached by others"},
		{"localhost.example:8080", false, "can be reached by others"},
		{"10.0.0.5:8080", true, ""},
		{":8080", true, ""},
		{"8080", false, "write it as"},
		{"127.0.0.1:banana", false, "is no port"},
	} {
		err := CheckListen(tt.address, tt.guarded)
		switch {
		case tt.wrong == "" && err != nil:
			t.Errorf("CheckListen(%q, %t) = %v", tt.address, tt.guarded, err)
		case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
			t.Errorf("CheckListen(%q, %t) = %v, want an error with %q", tt.address, tt.guarded, err, tt.wrong)
		}
	}
}
