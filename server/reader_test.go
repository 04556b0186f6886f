package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestReaderJudges has a function judge readers. A session must end when the
// token that it began with does.
func TestReaderJudges(t *testing.T) {
	right := "Bearer " + testToken
	handler := dayServer(t, func(o *Options) {
		o.Reader = func(r *http.Request) error {
			if r.Header.Get("Authorization") != right {
				return errors.New("another token")
			}
			return nil
		}
	})
	asJSON := header("Content-Type", "application/json")
	read := func(change ...func(*http.Request)) int {
		return ask(handler, http.MethodGet, "/api/v1/info", "", change...).Code
	}
	if got := read(); got != 401 {
		t.Errorf("without a token: status %d", got)
	}
	if got := read(header("Authorization", right)); got != 200 {
		t.Errorf("with the token: status %d", got)
	}
	if w := ask(handler, http.MethodPost, "/api/v1/session", `{"token":"`+testToken[1:]+`"}`, asJSON); w.Code != 401 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("a login with another token: status %d", w.Code)
	}
	w := ask(handler, http.MethodPost, "/api/v1/session", `{"token":"`+testToken+`"}`, asJSON)
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	if w.Code != 204 || !strings.HasPrefix(cookie, cookieName+"=") || strings.Contains(cookie, testToken) {
		t.Fatalf("login: status %d, %q", w.Code, w.Header().Get("Set-Cookie"))
	}
	session := header("Cookie", cookie)
	if got := read(session); got != 200 {
		t.Errorf("with the cookie: status %d", got)
	}
	if got := read(header("Cookie", cookie[:len(cookie)-1])); got != 401 {
		t.Errorf("with a part of the cookie: status %d", got)
	}
	before := right
	right = "Bearer " + strings.ToUpper(testToken)
	if got := read(session); got != 401 {
		t.Errorf("after the token was changed: status %d", got)
	}
	right = before
	if got := ask(handler, http.MethodDelete, "/api/v1/session", "", session).Code; got != 204 {
		t.Errorf("logout: status %d", got)
	}
	if got := read(session); got != 401 {
		t.Errorf("after the logout: status %d", got)
	}
}

// TestReaderSaysWhy wants what the function says to be the answer, with the
// status that says whether it is known who asks.
func TestReaderSaysWhy(t *testing.T) {
	var why error
	handler := dayServer(t, func(o *Options) { o.Reader = func(*http.Request) error { return why } })
	for _, tt := range []struct {
		why  error
		want int
	}{
		{errors.New("token of client alice: the credential has expired"), 401},
		{fmt.Errorf("client api %w: it sends alone", ErrForbidden), 403},
	} {
		why = tt.why
		for _, path := range []string{"/api/v1/info", "/api/v1/events.jsonl", "/api/v1/live"} {
			w := ask(handler, http.MethodGet, path, "")
			if w.Code != tt.want || !strings.Contains(w.Body.String(), why.Error()) {
				t.Errorf("%s: status %d, %s", path, w.Code, w.Body)
			}
		}
		w := ask(handler, http.MethodPost, "/api/v1/session", `{"token":"`+testToken+`"}`, header("Content-Type", "application/json"))
		if w.Code != tt.want || !strings.Contains(w.Body.String(), why.Error()) {
			t.Errorf("a login: status %d, %s", w.Code, w.Body)
		}
	}
}

// TestReadersAreBounded begins more sessions than there may be.
func TestReadersAreBounded(t *testing.T) {
	s := newSessions("", false, func(*http.Request) error { return nil })
	for range maxReaders + 10 {
		s.readers.begin(testToken)
	}
	if n := len(s.readers.list); n != maxReaders {
		t.Errorf("%d sessions", n)
	}
}
