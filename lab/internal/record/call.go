package record

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/whet-k8s/whet/lab/internal/cluster"
	"github.com/whet-k8s/whet/lab/internal/scenario"
)

// call sends a request as a program does that is written with client-go: with
// its connections, retries and, where the call names none, its user agent. It
// returns the call's text for the list of commands, a status as a command has
// it, and what the API server said against it.
func call(ctx context.Context, access *cluster.Access, c *scenario.Call) (text string, status int, why string, err error) {
	text = c.Method + " " + c.Path
	config, err := clientcmd.BuildConfigFromFlags("", access.Kubeconfig)
	if err != nil {
		return text, -1, "", fmt.Errorf("reading the credentials of the call: %w", err)
	}
	config.UserAgent = c.UserAgent
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	config.GroupVersion = &schema.GroupVersion{}
	// The one kind that the client has to understand is the Status of a refusal.
	kinds := runtime.NewScheme()
	metav1.AddToGroupVersion(kinds, schema.GroupVersion{Version: "v1"})
	config.NegotiatedSerializer = serializer.NewCodecFactory(kinds).WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return text, -1, "", fmt.Errorf("making the client of the call: %w", err)
	}
	req := client.Verb(c.Method).RequestURI(c.Path).SetHeader("Accept", "application/json")
	if c.Body != "" {
		kind := c.ContentType
		if kind == "" {
			kind = "application/json"
		}
		req = req.SetHeader("Content-Type", kind).Body([]byte(c.Body))
	}
	err = req.Do(ctx).Error()
	var refused apierrors.APIStatus
	if errors.As(err, &refused) {
		return text, 1, firstLine(refused.Status().Message), nil
	}
	if err != nil {
		return text, -1, "", fmt.Errorf("sending the request: %w", err)
	}
	return text, 0, "", nil
}
