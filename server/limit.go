package server

import (
	"context"
	"net/http"
)

// gate bounds how many queries run at once. Those beyond wait for their turn,
// and those beyond a bound on the waiting are refused, so that a page that
// asks in a loop slows itself and not the machine.
type gate struct {
	running chan struct{}
	waiting chan struct{}
}

func newGate(running, waiting int) *gate {
	return &gate{running: make(chan struct{}, running), waiting: make(chan struct{}, running+waiting)}
}

// enter waits for a turn; leave must be called when the query is done.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g.waiting <- struct{}{}:
	default:
		return nil, &problem{
			status: http.StatusTooManyRequests, Message: "too many queries run at once",
			Hint: "ask again in a second",
		}
	}
	select {
	case g.running <- struct{}{}:
		return func() { <-g.running; <-g.waiting }, nil
	case <-ctx.Done():
		<-g.waiting
		return nil, ctx.Err()
	}
}
