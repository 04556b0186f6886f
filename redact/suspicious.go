package redact

import "strings"

// suspiciousLine tells whether an event's JSON may hold anything that is to be
// replaced. It errs on the side of yes: it says no only where going over the
// whole would replace nothing.
func suspiciousLine(line string) bool {
	return suspicious(line) ||
		strings.Contains(line, `"secrets"`) ||
		strings.Contains(line, `"tokenreviews"`) ||
		strings.Contains(line, `"serviceaccounts"`) && strings.Contains(line, `"token"`)
}

// suspicious does the same for a text of which nothing is known, or for the
// JSON of one. Most hold nothing, so that it stops only at bytes that are rare.
func suspicious(text string) bool {
	for i := range len(text) {
		if rare[text[i]] && suspiciousAt(text, i) {
			return true
		}
	}
	return false
}

// rare are the bytes for which suspiciousAt has a case.
var rare = [256]bool{'J': true, 'Y': true, 'S': true, 'C': true, 'R': true, 'B': true, '=': true, '@': true, '\\': true}

func suspiciousAt(text string, i int) bool {
	switch text[i] {
	case 'J':
		return endsAt(text, i, webTokenStart) || endsAt(text, i, pemInBase64[:len(pemInBase64)-len("Ti")])
	case 'Y':
		return endsAt(text, i, privateKey)
	case 'S':
		return strings.HasPrefix(text[i:], "Secret") && afterKind(text[:i], between)
	case 'C':
		return strings.HasPrefix(text[i:], "Config") && afterKind(text[:i], between)
	case 'R':
		return endsAt(text, i, "TokenR") // TokenRequest and TokenReview
	case 'B':
		return strings.HasPrefix(text[i:], "Bearer ") || strings.HasPrefix(text[i:], "Basic ")
	case '=':
		return secretParameter(nameBefore(text[:i]))
	case '@':
		return strings.Contains(text[max(0, i-6*maxAuthority):i], "://")
	case '\\':
		return hides(text[i:])
	}
	return false
}

// between is what may stand in JSON between a member's name and its value, or in
// a string within a string.
const between = " \t\r\n\"'\\:"

// maxParameter is how much of a parameter's name is looked at, in bytes: more
// than the longest end of a name that secretParameter knows, percent-encoded.
const maxParameter = 64

// nameBefore is what may be the end of a parameter's name.
func nameBefore(text string) string {
	text = text[max(0, len(text)-maxParameter):]
	return text[strings.LastIndexAny(text, beforeParameter+afterParameter)+1:]
}

// hides tells an escape that may hide a letter that is looked for. Go writes
// \u0026, \u003c and \u003e for &, < and >, which hide none.
func hides(text string) bool {
	if strings.HasPrefix(text, `\/`) {
		return true
	}
	if len(text) < 6 || text[:4] != `\u00` {
		return false
	}
	switch strings.ToLower(text[4:6]) {
	case "26", "3c", "3e":
		return false
	}
	return true
}

// endsAt tells whether a word ends with the byte at i.
func endsAt(text string, i int, word string) bool {
	return strings.HasSuffix(text[:i+1], word)
}
