//go:build !amd64

package nn

// tiles leaves every column to gonum: there are no kernels for this processor.
func tiles(_, _, _ int, _ []float32, _, _ int, _ []float32, _ int, _ []float32, _ int) int { return 0 }

// addTo adds x to y.
func addTo(y, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += x[i]
	}
}
