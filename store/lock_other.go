//go:build !unix

package store

import "os"

// flock does nothing where there is no lock that ends with the process: one
// who writes at a time is then up to the user.
func flock(*os.File, bool) error { return nil }

func isReadOnly(error) bool { return false }
