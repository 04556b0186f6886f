package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const testToken = "0123456789abcdef0123456789abcdef"

// ask sends a request to a handler.
func ask(handler http.Handler, method, target, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+target, strings.NewReader(body))
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func TestTokenIsAskedFor(t *testing.T) {
	handler := dayServer(t, func(o *Options) { o.Token = testToken })
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"nothing", func(*http.Request) {}, 401},
		{"the token", header("Authorization", "Bearer "+testToken), 200},
		{"the token, small letters", header("Authorization", "bearer "+testToken), 200},
		{"another token", header("Authorization", "Bearer "+testToken[1:]), 401},
		{"an empty token", header("Authorization", "Bearer "), 401},
		{"another scheme", header("Authorization", "Basic "+testToken), 401},
		{"the token as a cookie", header("Cookie", cookieName+"="+testToken), 401},
		{"a cookie without a signature", header("Cookie", cookieName+"=99999999999"), 401},
		{"a cookie with another signature", header("Cookie", cookieName+"=99999999999."+strings.Repeat("0", 64)), 401},
	} {
		for _, target := range []string{"/api/v1/contexts?limit=1", "/api/v1/contexts.jsonl?query=actor==nobody", "/api/v1/info"} {
			if w := ask(handler, http.MethodGet, target, "", tt.change); w.Code != tt.want {
				t.Errorf("%s: GET %s: status %d, want %d", tt.name, target, w.Code, tt.want)
			}
		}
	}
	if w := ask(handler, http.MethodGet, "/api/v1/contexts?token="+testToken, ""); w.Code != 401 {
		t.Errorf("a token in the URL got status %d", w.Code)
	}
}

func TestSession(t *testing.T) {
	handler := dayServer(t, func(o *Options) { o.Token = testToken; o.TLS = true })
	asJSON := header("Content-Type", "application/json")
	for _, tt := range []struct {
		name, body string
		change     func(*http.Request)
		want       int
	}{
		{"wrong", `{"token":"x"}`, asJSON, 401},
		{"no JSON", `token=` + testToken, asJSON, 400},
		{"more than a token", `{"token":"` + testToken + `","x":1}`, asJSON, 400},
		{"two values", `{"token":"` + testToken + `"}{}`, asJSON, 400},
		{"a form, which a foreign page can send", `{"token":"` + testToken + `"}`, header("Content-Type", "text/plain"), 415},
		{"endless", `{"token":"` + strings.Repeat("x", 2*maxLogin) + `"}`, asJSON, 400},
	} {
		if w := ask(handler, http.MethodPost, "/api/v1/session", tt.body, tt.change); w.Code != tt.want || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: status %d, want %d; cookies %v", tt.name, w.Code, tt.want, w.Result().Cookies())
		}
	}
	w := ask(handler, http.MethodPost, "/api/v1/session", `{"token":"`+testToken+`"}`, asJSON)
	if w.Code != http.StatusNoContent || len(w.Result().Cookies()) != 1 {
		t.Fatalf("the right token: status %d, cookies %v", w.Code, w.Result().Cookies())
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(cookie.Value, testToken) {
		t.Errorf("the cookie is open to more than it should: %v", cookie)
	}
	with := func(r *http.Request) { r.AddCookie(cookie) }
	if w := ask(handler, http.MethodGet, "/api/v1/info", "", with); w.Code != 200 {
		t.Errorf("with the cookie: status %d", w.Code)
	}
	if w := ask(handler, http.MethodGet, "/api/v1/session", "", with); w.Body.String() != `{"tokenRequired":true,"authenticated":true}`+"\n" {
		t.Errorf("session with the cookie: %s", w.Body)
	}
	if w := ask(handler, http.MethodGet, "/api/v1/session", ""); w.Body.String() != `{"tokenRequired":true,"authenticated":false}`+"\n" {
		t.Errorf("session without the cookie: %s", w.Body)
	}
	if w := ask(handler, http.MethodDelete, "/api/v1/session", "", with); w.Code != 204 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("ending the session: status %d, cookies %v", w.Code, w.Result().Cookies())
	}
}

func TestSessionEnds(t *testing.T) {
	s := newSessions(testToken, false, nil)
	value := s.sign(s.now().Add(sessionTime))
	if !s.signed(value) {
		t.Fatal("a new cookie does not hold")
	}
	s.now = func() time.Time { return time.Now().Add(sessionTime + time.Second) }
	if s.signed(value) {
		t.Error("a cookie holds beyond its time")
	}
	if newSessions(testToken, false, nil).signed(value) {
		t.Error("a cookie holds with another start of the server")
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	handler := dayServer(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, target := range []string{"/api/v1/contexts", "/api/v1/info", "/api/v1/events", "/api/v1/nothing"} {
			if w := ask(handler, method, target, ""); w.Code < 400 {
				t.Errorf("%s %s: status %d", method, target, w.Code)
			}
		}
	}
}
