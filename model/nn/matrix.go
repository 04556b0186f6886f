package nn

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Matrix is a dense matrix of float32, row by row without gaps.
type Matrix struct {
	Rows, Cols int
	Data       []float32
}

// NewMatrix gives a matrix of zeros.
func NewMatrix(rows, cols int) Matrix {
	return Matrix{rows, cols, make([]float32, rows*cols)}
}

// Row gives a row, which shares the matrix's memory.
func (m Matrix) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols] }

// rows gives the rows from i up to j, which share the matrix's memory.
func (m Matrix) rows(i, j int) Matrix {
	return Matrix{j - i, m.Cols, m.Data[i*m.Cols : j*m.Cols]}
}

// Finite tells whether all elements are numbers, and none is infinite.
func (m Matrix) Finite() bool {
	sum := 0.0 // of float32s, which never is too large for a float64
	for _, v := range m.Data {
		sum += float64(v)
	}
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// MulAdd adds the product of a and b to c.
func MulAdd(c, a, b Matrix) {
	if a.Cols != b.Rows || c.Rows != a.Rows || c.Cols != b.Cols {
		panic(fmt.Sprintf("nn: %dx%d is no product of %dx%d and %dx%d", c.Rows, c.Cols, a.Rows, a.Cols, b.Rows, b.Cols))
	}
	done := tiles(c.Rows, c.Cols, a.Cols, a.Data, a.Cols, 1, b.Data, b.Cols, c.Data, c.Cols)
	rest(blas.NoTrans, c, a, b, done)
}

// MulAddTransposed adds the product of the transposed a and b to c. It is what
// gives the gradient of a weight from a layer's input and the gradient of its
// output.
func MulAddTransposed(c, a, b Matrix) {
	if a.Rows != b.Rows || c.Rows != a.Cols || c.Cols != b.Cols {
		panic(fmt.Sprintf("nn: %dx%d is no product of the transposed %dx%d and %dx%d", c.Rows, c.Cols, a.Rows, a.Cols, b.Rows, b.Cols))
	}
	done := tiles(c.Rows, c.Cols, a.Rows, a.Data, 1, a.Cols, b.Data, b.Cols, c.Data, c.Cols)
	rest(blas.Trans, c, a, b, done)
}

// rest lets gonum do the columns that the kernels have left.
func rest(transA blas.Transpose, c, a, b Matrix, done int) {
	if done == c.Cols || c.Rows == 0 || a.Cols == 0 || b.Rows == 0 {
		return
	}
	blas32.Gemm(transA, blas.NoTrans, 1,
		blas32.General{Rows: a.Rows, Cols: a.Cols, Stride: a.Cols, Data: a.Data},
		blas32.General{Rows: b.Rows, Cols: b.Cols - done, Stride: b.Cols, Data: b.Data[done:]}, 1,
		blas32.General{Rows: c.Rows, Cols: c.Cols - done, Stride: c.Cols, Data: c.Data[done:]})
}

// transpose writes the transposed src into dst.
func transpose(dst, src Matrix) {
	for i := range src.Rows {
		for j, v := range src.Row(i) {
			dst.Data[j*dst.Cols+i] = v
		}
	}
}
