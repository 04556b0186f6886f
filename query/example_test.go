package query_test

import (
	"fmt"
	"time"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

func Example() {
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	e, err := query.Parse(`actor == alice and effects > 50 and since 2h`, query.Options{Over: query.Contexts, Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := &store.Context{Context: pipeline.Context{
		Actor: pipeline.Actor{Username: "alice"}, Effects: 143, Start: now.Add(-time.Hour),
	}}
	fmt.Println("fits:", e.Context(c))
	w := e.Where()
	fmt.Println(w.SQL)
	fmt.Println(w.Args...)
	// Output:
	// fits: true
	// (("username" = ?) AND ("effects" > ?) AND ("start" >= make_timestamp(?)))
	// alice 50 1795456800000000
}

func ExampleParse_error() {
	_, err := query.Parse(`actr == alice`, query.Options{})
	fmt.Println(err)
	// Output:
	// query, column 1: there is no field "actr"; did you mean actor?
	//   actr == alice
	//   ^^^^
}
