package redact

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// secretText tells a text that holds a credential as a whole: a private key, a
// client's configuration, the manifest of a Secret.
func secretText(text string) bool {
	return strings.Contains(text, privateKey) && strings.Contains(text, "-----BEGIN ") ||
		encodesPrivateKey(text) ||
		namesKind(text, "Config") && containsAny(text, "token", "password", "client-key-data") ||
		namesKind(text, "Secret") && containsAny(text, "data", "Data")
}

const (
	privateKey = "PRIVATE KEY"
	// pemInBase64 is how PEM (RFC 7468) begins, in base64: -----BEGIN.
	pemInBase64 = "LS0tLS1CRUdJTi"
	base64Line  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\r\n"
)

// encodesPrivateKey tells a text with a private key as PEM in base64.
func encodesPrivateKey(text string) bool {
	for {
		i := strings.Index(text, pemInBase64)
		if i < 0 {
			return false
		}
		end := i + run(text[i:], base64Line)
		pem := make([]byte, base64.RawStdEncoding.DecodedLen(end-i))
		// What is wrong at the end of the run does not hide what came before.
		n, _ := base64.RawStdEncoding.Decode(pem, []byte(text[i:end]))
		if strings.Contains(string(pem[:n]), privateKey) {
			return true
		}
		text = text[end:]
	}
}

// namesKind tells a text, in YAML or JSON, with an object of a kind, or a list
// of such objects.
func namesKind(text, kind string) bool {
	for i := 0; ; i += len(kind) {
		at := strings.Index(text[i:], kind)
		if at < 0 {
			return false
		}
		i += at
		rest := strings.TrimPrefix(text[i+len(kind):], "List")
		if run(rest[:min(1, len(rest))], letters) == 0 && afterKind(text[:i], ` "'\:`) {
			return true
		}
	}
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// afterKind tells a text that ends with the name of the member kind, and what
// may stand between the name and its value.
func afterKind(before, between string) bool {
	before = strings.TrimRight(before, between)
	return len(before) >= 4 && strings.EqualFold(before[len(before)-4:], "kind")
}

// span is a part of a text that is secret.
type span struct {
	start, end int
	// query says that it is the value of a parameter, percent-encoded.
	query bool
	// quoted says that it stands in quotes, with the escapes of Go.
	quoted bool
}

// value is what the span stands for.
func (s span) value(text string) string {
	value := text[s.start:s.end]
	if s.query {
		if plain, err := url.QueryUnescape(value); err == nil {
			return plain
		}
	}
	if s.quoted {
		if plain, err := strconv.Unquote(`"` + value + `"`); err == nil {
			return plain
		}
	}
	return value
}

// secretSpans finds the credentials in a text, from front to back and apart
// from each other.
func secretSpans(text string, m mode) []span {
	spans := webTokens(nil, text)
	spans = authorizations(spans, text)
	spans = parameters(spans, text)
	spans = passwords(spans, text)
	if m&(inSecret|inToken|anyMessage) != 0 {
		spans = quotedBodies(spans, text)
	}
	if m&(inSecret|inToken) != 0 {
		spans = quotedValues(spans, text)
	}
	spans = slices.DeleteFunc(spans, func(s span) bool { return redacted(text[s.start:s.end]) })
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	apart := spans[:0]
	for _, s := range spans {
		if n := len(apart); n > 0 && s.start < apart[n-1].end {
			apart[n-1].end = max(apart[n-1].end, s.end)
			continue
		}
		apart = append(apart, s)
	}
	return apart
}

const (
	base64URL = letters + "0123456789-_"
	// webTokenStart is how a JSON object begins in base64: {".
	webTokenStart = "eyJ"
	// minWebTokenPart is the least length of a part of a token, in bytes. The
	// signatures of the config map cluster-info, which anybody may read, have
	// an empty part.
	minWebTokenPart = 10
)

// webTokens finds JSON web tokens (RFC 7519), as service accounts have them.
func webTokens(spans []span, text string) []span {
	for i := 0; ; {
		at := strings.Index(text[i:], webTokenStart)
		if at < 0 {
			return spans
		}
		start := i + at
		i = start
		parts := 0
		for {
			n := run(text[i:], base64URL)
			i += n
			if n < minWebTokenPart && parts < 3 {
				break
			}
			parts++
			if i+1 >= len(text) || text[i] != '.' || run(text[i+1:i+2], base64URL) == 0 {
				break
			}
			i++
		}
		if parts >= 3 {
			spans = append(spans, span{start: start, end: i})
		}
	}
}

// minBearer is the least length of an opaque token, in bytes.
const minBearer = 16

// authorizations finds what follows the scheme in the header Authorization
// (RFC 6750 and RFC 7617).
func authorizations(spans []span, text string) []span {
	for _, scheme := range []string{"Bearer ", "Basic "} {
		for i := 0; ; {
			at := strings.Index(text[i:], scheme)
			if at < 0 {
				break
			}
			start := i + at + len(scheme)
			i = start + run(text[start:], base64URL+".~+/=")
			token := text[start:i]
			if scheme == "Bearer " && len(token) >= minBearer && strings.ContainsAny(token, "0123456789") ||
				scheme == "Basic " && userAndPassword(token) {
				spans = append(spans, span{start: start, end: i})
			}
		}
	}
	return spans
}

func userAndPassword(token string) bool {
	plain, err := base64.StdEncoding.DecodeString(token)
	return err == nil && strings.Contains(string(plain), ":")
}

const (
	beforeParameter = "?&;"
	// afterParameter ends a parameter's name or value, and a URL in a text.
	afterParameter = "&;#\"'<>\\ \t\r\n"
)

// parameters finds the values of a URL's parameters whose names say that they
// are secret.
func parameters(spans []span, text string) []span {
	for i := 0; ; {
		at := strings.IndexAny(text[i:], beforeParameter)
		if at < 0 {
			return spans
		}
		i += at + 1
		end := i + until(text[i:], afterParameter+"?")
		name, value, found := strings.Cut(text[i:end], "=")
		if !found || !secretParameter(name) {
			continue
		}
		// A question mark may stand in a value.
		start := i + len(name) + 1
		i = start + until(text[start:], afterParameter)
		if value != "" || i > start {
			spans = append(spans, span{start: start, end: i, query: true})
		}
	}
}

// secretParameter tells by its end the name of a parameter that carries a
// credential: token, access_token, X-Amz-Signature and so on.
func secretParameter(name string) bool {
	if strings.Contains(name, "%") {
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
	}
	name = strings.ToLower(name)
	for _, end := range []string{"token", "password", "passwd", "secret", "signature", "sig", "apikey", "api_key", "api-key", "authorization"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// maxAuthority is how long the part of a URL with the host may be in which a
// password is looked for, in bytes.
const maxAuthority = 256

// passwords finds the passwords of URLs with a user: scheme://user:password@host.
func passwords(spans []span, text string) []span {
	for i := 0; ; {
		at := strings.Index(text[i:], "://")
		if at < 0 {
			return spans
		}
		i += at + 3
		authority := text[i:min(len(text), i+maxAuthority)]
		authority = authority[:until(authority, "/?#\"'<> \t\r\n")]
		user := strings.LastIndexByte(authority, '@')
		if user < 0 {
			continue
		}
		if name := strings.IndexByte(authority[:user], ':'); name >= 0 && name+1 < user {
			spans = append(spans, span{start: i + name + 1, end: i + user})
		}
	}
}

// quotedBody begins the part of an error in which API servers before 1.23 quote
// the body that they could not read.
const quotedBody = "error found in #"

func quotedBodies(spans []span, text string) []span {
	if i := strings.Index(text, quotedBody); i >= 0 && i+len(quotedBody) < len(text) {
		spans = append(spans, span{start: i + len(quotedBody), end: len(text)})
	}
	return spans
}

// quotedValues finds the values that the API server quotes where it refuses an
// object as invalid (k8s.io/apimachinery/pkg/util/validation/field).
func quotedValues(spans []span, text string) []span {
	for _, before := range []string{"Invalid value: ", "Unsupported value: ", "Duplicate value: ", "Not found: "} {
		for i := 0; ; {
			at := strings.Index(text[i:], before)
			if at < 0 {
				break
			}
			start := i + at + len(before)
			quote, err := strconv.QuotedPrefix(text[start:])
			if err == nil && strings.HasPrefix(quote, `"`) {
				i = start + len(quote)
				if len(quote) > len(`""`) {
					spans = append(spans, span{start: start + 1, end: i - 1, quoted: true})
				}
				continue
			}
			// What is no text stands without quotes, up to the reason.
			i = len(text)
			if end := strings.Index(text[start:], ": "); end >= 0 {
				i = start + end
			}
			if i > start {
				spans = append(spans, span{start: start, end: i})
			}
		}
	}
	return spans
}

// run is the length of the beginning of a text that has only the characters
// given.
func run(text, of string) int {
	return len(text) - len(strings.TrimLeft(text, of))
}

// until is the length of a text before the first of the characters given.
func until(text, stops string) int {
	if i := strings.IndexAny(text, stops); i >= 0 {
		return i
	}
	return len(text)
}

func containsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
