//go:build !unix

package edit

import "os"

// flock does nothing where there is no lock that ends with the process: one
// session at a time is then up to the user.
func flock(*os.File) error { return nil }
