package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// problem is what went wrong, as the API answers it, with its HTTP status.
type problem struct {
	status int

	Message string `json:"message"`
	// Field is the parameter that is wrong, "" where it is none.
	Field string `json:"field,omitempty"`
	// Position counts the bytes of a query before the place that is wrong,
	// Column the same in characters from 1, Length the characters that are
	// wrong.
	Position *int   `json:"position,omitempty"`
	Column   int    `json:"column,omitempty"`
	Length   int    `json:"length,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

func (p *problem) Error() string { return p.Message }

// badParameter is the problem of a parameter that makes no sense.
func badParameter(field, format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, Field: field, Message: field + ": " + fmt.Sprintf(format, args...)}
}

// notFound is the problem of asking for what is not there.
func notFound(hint, format string, args ...any) *problem {
	return &problem{status: http.StatusNotFound, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// problemOf makes a problem of an error. What is no problem yet is the
// server's own fault or that of its data set, and its text is given: whoever
// may ask may know, and it names what is broken.
func problemOf(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{
			status: http.StatusServiceUnavailable, Message: "the answer took too long",
			Hint: "ask for a shorter time, or a narrower query",
		}
	case errors.Is(err, context.Canceled):
		return &problem{status: http.StatusServiceUnavailable, Message: "the request was given up"}
	}
	return &problem{status: http.StatusInternalServerError, Message: err.Error()}
}
