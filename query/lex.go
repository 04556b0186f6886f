package query

import (
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// The bounds of a query, so that no text takes long to understand or to ask.
const (
	// MaxLength bounds the text of a query, in bytes.
	MaxLength = 16 << 10
	// maxDepth bounds brackets within brackets.
	maxDepth = 50
	// maxConditions bounds the conditions of a query.
	maxConditions = 500
	// maxList bounds the values of one in (…).
	maxList = 1000
)

// The kinds of tokens.
const (
	tokenWord    lexer.TokenType = iota + 1 // a bare word: a name, a value, a path
	tokenString                             // a text in quotes, with them
	tokenKey                                // ["key"] or ."key" right behind a word, as it stands
	tokenOp                                 // == != < <= > >= ~
	tokenKeyword                            // and, or, not, in lower case
	tokenPunct                              // ( ) ,
)

// definition is the lexer's definition for the parser of the grammar.
type definition struct{}

// Symbols gives the kinds of tokens by the names that the grammar uses.
func (definition) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF": lexer.EOF, "Word": tokenWord, "String": tokenString, "Key": tokenKey,
		"Op": tokenOp, "Keyword": tokenKeyword, "Punct": tokenPunct,
	}
}

// Lex takes a query from a reader, LexString from a string.
func (d definition) Lex(name string, r io.Reader) (lexer.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return d.LexString(name, string(text))
}

// LexString cuts a query into tokens.
func (definition) LexString(_, text string) (lexer.Lexer, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	return &tokenList{tokens: tokens}, nil
}

// tokenList hands tokens out one by one.
type tokenList struct {
	tokens []lexer.Token
	next   int
}

// Next gives the next token, at the end the last one, which is EOF, again.
func (l *tokenList) Next() (lexer.Token, error) {
	t := l.tokens[min(l.next, len(l.tokens)-1)]
	l.next++
	return t, nil
}

// scanner cuts a query into tokens.
type scanner struct {
	text   string
	at     int
	tokens []lexer.Token
	open   []int // the offsets of the brackets that are open
}

// lex gives the tokens of a query, or an *Error. The last token is EOF.
func lex(text string) ([]lexer.Token, error) {
	s := &scanner{text: text}
	if len(text) > MaxLength {
		return nil, s.fail(MaxLength, 0, "the query is longer than 16 KiB")
	}
	if at := badByte(text); at >= 0 {
		return nil, s.fail(at, 1, "a query is text in UTF-8 without NUL")
	}
	for {
		s.space()
		if s.at == len(text) {
			break
		}
		if err := s.token(); err != nil {
			return nil, err
		}
	}
	if n := len(s.open); n > 0 {
		return nil, s.fail(s.open[n-1], 1, "this bracket is not closed")
	}
	s.add(lexer.EOF, "", s.at)
	return s.tokens, nil
}

// badByte gives the offset of what is no UTF-8, or NUL, or -1.
func badByte(text string) int {
	for i, r := range text {
		if r == 0 {
			return i
		}
		if _, n := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && n == 1 {
			return i
		}
	}
	return -1
}

func (s *scanner) fail(offset, length int, message string) error {
	return &Error{Query: s.text, Offset: offset, Length: length, Message: message}
}

func (s *scanner) add(kind lexer.TokenType, value string, offset int) {
	s.tokens = append(s.tokens, lexer.Token{Type: kind, Value: value, Pos: lexer.Position{Offset: offset}})
}

func (s *scanner) space() {
	rest := strings.TrimLeftFunc(s.text[s.at:], unicode.IsSpace)
	s.at = len(s.text) - len(rest)
}

// operators are what stands for a comparison; the longer ones come first.
func operators() []string { return []string{"==", "!=", "<=", ">=", "<", ">", "~"} }

func (s *scanner) token() error {
	start, rest := s.at, s.text[s.at:]
	switch c := rest[0]; {
	case c == '"' || c == '\'':
		return s.quoted(tokenString)
	case c == '(' || c == ')' || c == ',':
		s.at++
		s.add(tokenPunct, rest[:1], start)
		return s.bracket(c, start)
	case isWord(firstRune(rest)):
		return s.word()
	}
	for _, op := range operators() {
		if strings.HasPrefix(rest, op) && !strings.HasPrefix(rest, "~=") {
			s.at += len(op)
			s.add(tokenOp, op, start)
			return nil
		}
	}
	return s.unknown()
}

// unknown says what to write instead of a sign that the language does not have.
func (s *scanner) unknown() error {
	rest := s.text[s.at:]
	for _, other := range [...][2]string{
		{"=~", `write == regexp("…"), or ~ "…*" for a glob`}, {"~=", `write == regexp("…"), or ~ "…*" for a glob`},
		{"=", "write =="}, {"&&", "write and"}, {"||", "write or"}, {"&", "write and"}, {"|", "write or"}, {"!", "write not"},
	} {
		if strings.HasPrefix(rest, other[0]) {
			return s.fail(s.at, len(other[0]), "there is no "+other[0]+": "+other[1])
		}
	}
	_, n := utf8.DecodeRuneInString(rest)
	return s.fail(s.at, n, "this sign has no meaning here; write the value in quotes")
}

// bracket keeps the brackets that are open.
func (s *scanner) bracket(c byte, at int) error {
	switch {
	case c == '(' && len(s.open) == maxDepth:
		return s.fail(at, 1, "brackets are nested more than 50 deep")
	case c == '(':
		s.open = append(s.open, at)
	case c == ')' && len(s.open) == 0:
		return s.fail(at, 1, "this bracket closes nothing")
	case c == ')':
		s.open = s.open[:len(s.open)-1]
	}
	return nil
}

// quoted takes a text in quotes, in which a backslash keeps the character
// behind it from ending the text.
func (s *scanner) quoted(kind lexer.TokenType) error {
	start := s.at
	quote := s.text[start]
	for i := start + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case quote:
			s.at = i + 1
			s.add(kind, s.text[start:s.at], start)
			return nil
		}
	}
	return s.fail(start, 1, "this quote is not closed")
}

// word takes a bare word, and the key of a map behind it.
func (s *scanner) word() error {
	start := s.at
	end := strings.IndexFunc(s.text[start:], func(r rune) bool { return !isWord(r) })
	if end < 0 {
		end = len(s.text) - start
	}
	s.at += end
	word := s.text[start:s.at]
	if lower := strings.ToLower(word); slices.Contains([]string{"and", "or", "not"}, lower) {
		s.add(tokenKeyword, lower, start)
		return nil
	}
	s.add(tokenWord, word, start)
	return s.key(strings.HasSuffix(word, "."))
}

// key takes ["key"] or [key], or "key" behind a dot.
func (s *scanner) key(dot bool) error {
	if s.at == len(s.text) {
		return nil
	}
	start := s.at
	c := s.text[start]
	if dot && (c == '"' || c == '\'') {
		return s.quoted(tokenKey)
	}
	if c != '[' {
		return nil
	}
	s.at++
	s.space()
	kept := len(s.tokens)
	if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') {
		if err := s.quoted(tokenKey); err != nil {
			return err
		}
		s.tokens = s.tokens[:kept]
		s.space()
	} else if end := strings.IndexAny(s.text[s.at:], `]"'`); end >= 0 {
		s.at += end
	}
	if s.at == len(s.text) || s.text[s.at] != ']' {
		return s.fail(start, 1, "this bracket is not closed")
	}
	s.at++
	s.add(tokenKey, s.text[start:s.at], start)
	return nil
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// isWord tells whether a character may stand in a bare word. Names, addresses,
// times, paths and globs need no quotes.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r != 0x7f && !strings.ContainsRune("()[],\"'=!<>~&|\\`;", r)
	}
	return unicode.IsPrint(r)
}
