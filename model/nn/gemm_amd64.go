package nn

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func fma4x16(k int, a *float32, aRow, aStep uintptr, b *float32, bStep uintptr, c *float32, cRow uintptr)

//go:noescape
func fma1x16(k int, a *float32, aStep uintptr, b *float32, bStep uintptr, c *float32)

//go:noescape
func add16(n int, x, y *float32)

// hasFMA tells whether the processor has what the kernels in assembly need.
func hasFMA() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

const floatBytes = unsafe.Sizeof(float32(0))

// tiles adds a product to the columns of c that fill whole tiles, and gives
// the number of those columns; 0 where the processor lacks the instructions.
// Element (i, p) of a stands at i*aRow + p*aStep.
func tiles(m, n, k int, a []float32, aRow, aStep int, b []float32, bRow int, c []float32, cRow int) int {
	whole := n &^ 15
	if whole == 0 || m == 0 || k == 0 || !hasFMA() {
		return 0
	}
	// The kernels check no bounds; these do, once for the whole product.
	_, _, _ = a[(m-1)*aRow+(k-1)*aStep], b[(k-1)*bRow+whole-1], c[(m-1)*cRow+whole-1]
	i := 0
	for ; i+4 <= m; i += 4 {
		for j := 0; j < whole; j += 16 {
			fma4x16(k, &a[i*aRow], uintptr(aRow)*floatBytes, uintptr(aStep)*floatBytes,
				&b[j], uintptr(bRow)*floatBytes, &c[i*cRow+j], uintptr(cRow)*floatBytes)
		}
	}
	for ; i < m; i++ {
		for j := 0; j < whole; j += 16 {
			fma1x16(k, &a[i*aRow], uintptr(aStep)*floatBytes, &b[j], uintptr(bRow)*floatBytes, &c[i*cRow+j])
		}
	}
	return whole
}

// addTo adds x to y.
func addTo(y, x []float32) {
	x = x[:len(y)]
	i := 0
	if hasFMA() && len(y) >= 16 {
		add16(len(y)/16, &x[0], &y[0])
		i = len(y) &^ 15
	}
	for ; i < len(y); i++ {
		y[i] += x[i]
	}
}
