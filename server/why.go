package server

import (
	"context"
	"errors"

	"github.com/whet-k8s/whet/pipeline/why"
)

// maxTarget bounds a target, in bytes.
const maxTarget = 2000

// why answers /why.
func (a *api) why(ctx context.Context, p *params) (any, error) {
	text, every := p.required("target", maxTarget), p.flag("all")
	if err := p.done(); err != nil {
		return nil, err
	}
	target, err := why.ParseTarget(text)
	if err != nil {
		return nil, &problem{status: 400, Message: err.Error(), Field: "target"}
	}
	answer, err := a.data.Why(ctx, target, every)
	var missing *why.NotFoundError
	if errors.As(err, &missing) {
		return nil, notFound("", "%v", missing)
	}
	if err != nil {
		return nil, err
	}
	return answer.Report(), nil
}
