package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/url"
)

// A cursor says where the next page of a list begins. It names the last row of
// the page before by the list's order, not by its number, so that it holds
// when rows are added, and it carries a fingerprint of the other parameters,
// so that it cannot be used with another list.
type cursor struct {
	// List is the fingerprint.
	List uint64 `json:"l"`
	// Key is the value that the list is sorted by, in microseconds where it
	// is a time; ID tells rows with the same value apart.
	Key int64  `json:"k"`
	ID  string `json:"i"`
	// Skip counts the rows of the same Key and ID that were given already.
	Skip int `json:"s,omitempty"`
}

// fingerprint identifies a list by its path and its parameters, those that
// turn pages aside.
func fingerprint(path string, values url.Values) uint64 {
	others := url.Values{}
	for name, v := range values {
		if name != "cursor" && name != "limit" {
			others[name] = v
		}
	}
	sum := sha256.Sum256([]byte(path + "?" + others.Encode()))
	return binary.LittleEndian.Uint64(sum[:])
}

func (c *cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic("server: a cursor of numbers and strings cannot fail to be JSON: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// cursor reads the parameter cursor of a list, nil when it is missing.
func (p *params) cursor(list uint64) *cursor {
	s := p.text("cursor", maxCursor)
	if s == "" {
		return nil
	}
	var c cursor
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	switch {
	case err != nil, c.Skip < 0:
		p.fail(badParameter("cursor", "it is not one that this server gave"))
		return nil
	case c.List != list:
		p.fail(badParameter("cursor", "it belongs to a list with other parameters"))
		return nil
	}
	return &c
}
