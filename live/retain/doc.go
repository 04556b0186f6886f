// Package retain keeps a data set that grows within its bounds.
package retain
