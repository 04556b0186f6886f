package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The grammar, with the names of its parts as docs/query.md uses them:
//
//	any        = all { "or" all }
//	all        = condition { "and" condition }
//	condition  = { "not" } ( "(" any ")" | call | moment | comparison )
//	call       = word "(" [ operand { "," operand } ] ")"
//	moment     = ( "since" | "until" ) operand
//	comparison = operand { step }
//	step       = [ "not" ] ( op | "contains" | "has" ) operand
//	           | [ "not" ] "in" "(" operand { "," operand } ")"
//	operand    = "regexp" "(" string ")" | string | word [ key ]
type (
	anyOf struct {
		All []*allOf `parser:"@@ ( 'or':Keyword @@ )*"`
	}
	allOf struct {
		Conditions []*condition `parser:"@@ ( 'and':Keyword @@ )*"`
	}
	condition struct {
		Nots       []string    `parser:"@'not':Keyword*"`
		Any        *anyOf      `parser:"( '(':Punct @@ ')':Punct"`
		Call       *call       `parser:"| @@"`
		Moment     *moment     `parser:"| @@"`
		Comparison *comparison `parser:"| @@ )"`
	}
	call struct {
		Pos  lexer.Position
		Name string     `parser:"@Word '(':Punct"`
		Args []*operand `parser:"( @@ ( ',':Punct @@ )* )? ')':Punct"`
	}
	moment struct {
		Pos  lexer.Position
		Name string   `parser:"@( 'since':Word | 'until':Word )"`
		At   *operand `parser:"@@"`
	}
	comparison struct {
		Left  *operand `parser:"@@"`
		Steps []*step  `parser:"@@*"`
	}
	step struct {
		Pos   lexer.Position
		Not   bool       `parser:"@'not':Keyword?"`
		In    bool       `parser:"( @'in':Word"`
		List  []*operand `parser:"  '(':Punct @@ ( ',':Punct @@ )* ')':Punct"`
		Op    string     `parser:"| @( Op | 'contains':Word | 'has':Word )"`
		Right *operand   `parser:"  @@ )"`
	}
	operand struct {
		Pos    lexer.Position
		Regexp string `parser:"  'regexp':Word '(':Punct @String ')':Punct"`
		Quoted string `parser:"| @String"`
		Word   string `parser:"| @Word"`
		Key    string `parser:"  @Key?"`
		EndPos lexer.Position
	}
)

// newParser builds the parser once; it never changes.
var newParser = sync.OnceValues(func() (*participle.Parser[anyOf], error) {
	return participle.Build[anyOf](
		participle.Lexer(definition{}), participle.CaseInsensitive("Word"), participle.UseLookahead(2))
})

// parse gives the tree of a query as the grammar has it, or an *Error.
func parse(text string) (*anyOf, error) {
	parser, err := newParser()
	if err != nil {
		return nil, fmt.Errorf("building the parser of queries: %w", err)
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	peeking, err := lexer.Upgrade(&tokenList{tokens: tokens})
	if err != nil {
		return nil, fmt.Errorf("reading the tokens of a query: %w", err)
	}
	tree, err := parser.ParseFromLexer(peeking)
	if err == nil {
		return tree, nil
	}
	var at participle.Error
	if !errors.As(err, &at) {
		return nil, fmt.Errorf("parsing a query: %w", err)
	}
	return nil, misplaced(text, tokens, at.Position().Offset)
}

// misplaced words the error of a token that does not belong where it is.
func misplaced(text string, tokens []lexer.Token, offset int) *Error {
	i := 0
	for i < len(tokens)-1 && tokens[i].Pos.Offset < offset {
		i++
	}
	e := &Error{Query: text, Offset: tokens[i].Pos.Offset, Length: len(tokens[i].Value)}
	if i == 0 {
		e.Message = beginning(&tokens[0])
		return e
	}
	before, at := &tokens[i-1], &tokens[i]
	value := at.Type == tokenWord || at.Type == tokenString
	switch word := strings.ToLower(before.Value); {
	case before.Type == tokenWord && word == "in" && at.Type != lexer.EOF:
		e.Message = "the values of in stand in brackets: in (a, b)"
	case before.Type == tokenWord && slices.Contains([]string{"in", "has", "contains"}, word):
		e.Message = "a value is missing behind " + before.Value
	case before.Type == tokenWord && slices.Contains(functionNames(), word):
		e.Message = fmt.Sprintf("what %s is about stands in brackets: %s(%s)", before.Value, before.Value, at.Value)
	case at.Value == "," && i+1 < len(tokens) && tokens[i+1].Value == ")":
		e.Message = "a value is missing behind the comma"
	case at.Type == lexer.EOF && endsValue(before):
		e.Message = "something is missing at the end"
	case at.Type == lexer.EOF:
		e.Message = "a value or a condition is missing behind " + before.Value
	case endsValue(before) && value:
		e.Length = 0
		e.Message = fmt.Sprintf("an operator is missing before %s: ==, in, ~, and, …; a value with spaces stands in quotes, and values of a list have commas between them", at.Value)
	case !endsValue(before) && !value:
		e.Message = fmt.Sprintf("a value or a condition is missing between %s and %s", before.Value, at.Value)
	default:
		e.Message = at.Value + " does not belong here"
	}
	return e
}

// beginning words the error of a query that begins with a wrong token.
func beginning(first *lexer.Token) string {
	switch first.Type {
	case lexer.EOF:
		return "the query is empty"
	case tokenOp:
		return "a field is missing before " + first.Value
	case tokenKeyword:
		return "a condition is missing before " + first.Value
	}
	return first.Value + " does not belong here"
}

// endsValue tells whether a token can be the last one of a value.
func endsValue(t *lexer.Token) bool {
	switch t.Type {
	case tokenWord, tokenString, tokenKey:
		return true
	case tokenPunct:
		return t.Value == ")"
	}
	return false
}
