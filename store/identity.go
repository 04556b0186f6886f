package store

import (
	"reflect"
	"unsafe"
)

// identity tells a text, a list or a map by where it is in memory. The decoder
// interns what repeats and nothing changes an event once it is decoded, so that
// the same identity means the same content; another identity means nothing. An
// identity keeps in memory what it tells, so that nothing else comes to be there.
type identity struct {
	at     unsafe.Pointer
	length int
}

func identityOfText(s string) identity {
	return identity{unsafe.Pointer(unsafe.StringData(s)), len(s)} //nolint:gosec // Compared, never read.
}

func identityOfList(list []string) identity {
	return identity{unsafe.Pointer(unsafe.SliceData(list)), len(list)} //nolint:gosec // Compared, never read.
}

func identityOfMap[V any](m map[string]V) identity {
	return identity{reflect.ValueOf(m).UnsafePointer(), len(m)}
}

// slot gives the identity a place in a table of n.
func (i identity) slot(n int) int {
	const aligned = 4                                 // bits that say little, since memory is given out in steps of 16 bytes
	return int(uintptr(i.at) >> aligned % uintptr(n)) //nolint:gosec // A number to spread by.
}
