package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	cookieName = "whet-session"
	// sessionTime is how long a cookie holds.
	sessionTime = 12 * time.Hour
	// maxLogin bounds the body of a login, in bytes.
	maxLogin = 4 << 10
)

// sessions asks for the token. Without one everybody may ask, since the server
// then listens on loopback or demands client certificates.
type sessions struct {
	// token is the SHA-256 sum of the token, so that comparing takes the same
	// time whatever its length; nil asks for none.
	token []byte
	// key signs cookies. It is made anew with every start, which ends every
	// session.
	key []byte
	// readers judge in place of the token, nil where a token does.
	readers *readers
	// secure keeps cookies off connections without TLS.
	secure bool
	now    func() time.Time
}

func newSessions(token string, secure bool, reader func(*http.Request) error) *sessions {
	s := &sessions{secure: secure, now: time.Now}
	if reader != nil {
		s.readers = newReaders(reader, func() time.Time { return s.now() })
		return s
	}
	if token == "" {
		return s
	}
	sum := sha256.Sum256([]byte(token))
	s.token = sum[:]
	s.key = make([]byte, sha256.Size)
	_, _ = rand.Read(s.key) // crypto/rand.Read never returns an error
	return s
}

// refusal says why a request may not read, nil when it may.
func (s *sessions) refusal(r *http.Request) *problem {
	if s.readers != nil {
		return refusalOf(s.readers.judge(r))
	}
	if s.allows(r) {
		return nil
	}
	return refusalOf(ErrNoToken)
}

// refusalOf makes the answer of what Options.Reader says.
func refusalOf(err error) *problem {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrForbidden):
		return &problem{status: http.StatusForbidden, Message: err.Error()}
	}
	p := &problem{status: http.StatusUnauthorized, Message: err.Error()}
	if errors.Is(err, ErrNoToken) {
		p.Hint = "send it as Authorization: Bearer, or once to POST /api/v1/session"
	}
	return p
}

// allows tells whether a request carries the token, or a cookie that was given
// for it.
func (s *sessions) allows(r *http.Request) bool {
	if s.token == nil {
		return true
	}
	if kind, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(kind, "Bearer") {
		return s.right(strings.TrimSpace(token))
	}
	cookie, err := r.Cookie(cookieName)
	return err == nil && s.signed(cookie.Value)
}

func (s *sessions) right(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], s.token) == 1
}

// sign makes a cookie's value: when it ends, and a signature of that.
func (s *sessions) sign(ends time.Time) string {
	text := strconv.FormatInt(ends.Unix(), 10)
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	return text + "." + hex.EncodeToString(mac.Sum(nil))
}

func (s *sessions) signed(value string) bool {
	text, _, _ := strings.Cut(value, ".")
	unix, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return false
	}
	ends := time.Unix(unix, 0)
	return hmac.Equal([]byte(value), []byte(s.sign(ends))) && s.now().Before(ends)
}

// sessionAnswer is what GET /session says.
type sessionAnswer struct {
	TokenRequired bool `json:"tokenRequired"`
	Authenticated bool `json:"authenticated"`
}

func (s *sessions) get(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, sessionAnswer{TokenRequired: s.token != nil || s.readers != nil, Authenticated: s.refusal(r) == nil})
}

// begin takes the token once and gives a cookie, so that the app has nothing
// to keep.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		writeProblem(w, &problem{status: http.StatusUnsupportedMediaType, Message: "send the token as application/json"})
		return
	}
	var login struct {
		Token string `json:"token"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxLogin))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&login)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = io.ErrUnexpectedEOF
		}
	}
	var refused error
	switch {
	case err != nil:
		writeProblem(w, &problem{status: http.StatusBadRequest, Message: `send {"token":"…"}`, Field: "token"})
		return
	case s.readers != nil:
		refused = s.readers.right(r, login.Token)
	case s.token != nil && !s.right(login.Token):
		refused = errors.New("that is not the token")
	}
	switch p := refusalOf(refused); {
	case p != nil:
		p.Field = "token"
		writeProblem(w, p)
	default:
		if s.readers != nil {
			s.setCookie(w, s.readers.begin(login.Token), int(sessionTime/time.Second))
		}
		if s.token != nil {
			s.setCookie(w, s.sign(s.now().Add(sessionTime)), int(sessionTime/time.Second))
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *sessions) end(w http.ResponseWriter, r *http.Request) {
	if s.readers != nil {
		s.readers.end(r)
	}
	s.setCookie(w, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

func (s *sessions) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Without TLS a Secure cookie would not come back.
		Name: cookieName, Value: value, Path: "/api/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode,
	})
}

// The errors of who may read.
var (
	// ErrForbidden is what an error of Options.Reader wraps when it is known who
	// asks, and they may not read.
	ErrForbidden = errors.New("may not read")
	// ErrNoToken says that a request shows no token, or not the right one.
	ErrNoToken = errors.New("a token is needed")
)

// refuse answers a request that may not read.
func refuse(w http.ResponseWriter, p *problem) {
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="whet"`)
	}
	writeProblem(w, p)
}
