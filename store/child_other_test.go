//go:build !linux && !darwin

package store_test

func limitFiles() error { return nil }
