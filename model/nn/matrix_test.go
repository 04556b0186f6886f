package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

func randomMatrix(r *rand.Rand, rows, cols int) Matrix {
	m := NewMatrix(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

func general(m Matrix) blas32.General {
	return blas32.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Cols, Data: m.Data}
}

func TestProductsAgreeWithGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][3]int{{1, 1, 1}, {4, 16, 8}, {5, 17, 3}, {7, 48, 33}, {64, 96, 50}, {3, 15, 4}, {2, 32, 1}, {0, 16, 4}, {4, 16, 0}} {
		m, n, k := size[0], size[1], size[2]
		t.Run(fmt.Sprint(m, n, k), func(t *testing.T) {
			a, at, b := randomMatrix(r, m, k), randomMatrix(r, k, m), randomMatrix(r, k, n)
			got := randomMatrix(r, m, n)
			want := Matrix{m, n, append([]float32(nil), got.Data...)}
			gotT := Matrix{m, n, append([]float32(nil), got.Data...)}
			wantT := Matrix{m, n, append([]float32(nil), got.Data...)}
			MulAdd(got, a, b)
			MulAddTransposed(gotT, at, b)
			if m > 0 && k > 0 {
				blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, general(a), general(b), 1, general(want))
				blas32.Gemm(blas.Trans, blas.NoTrans, 1, general(at), general(b), 1, general(wantT))
			}
			for i := range want.Data {
				if math.Abs(float64(got.Data[i]-want.Data[i])) > 1e-4 {
					t.Fatalf("element %d of the product is %v, gonum says %v", i, got.Data[i], want.Data[i])
				}
				if math.Abs(float64(gotT.Data[i]-wantT.Data[i])) > 1e-4 {
					t.Fatalf("element %d of the transposed product is %v, gonum says %v", i, gotT.Data[i], wantT.Data[i])
				}
			}
		})
	}
}

func TestProductRefusesWrongShapes(t *testing.T) {
	for name, multiply := range map[string]func(c, a, b Matrix){"plain": MulAdd, "transposed": MulAddTransposed} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("matrices that do not fit were multiplied")
				}
			}()
			multiply(NewMatrix(2, 2), NewMatrix(2, 3), NewMatrix(4, 2))
		})
	}
}

func BenchmarkMulAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, w, c := randomMatrix(r, 480, 384), randomMatrix(r, 384, 48), NewMatrix(480, 48)
	b.SetBytes(480 * 384 * 48) // multiplications, so that MB/s reads as millions of them a second
	for b.Loop() {
		MulAdd(c, x, w)
	}
}

func BenchmarkGonum(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, w, c := randomMatrix(r, 480, 384), randomMatrix(r, 384, 48), NewMatrix(480, 48)
	b.SetBytes(480 * 384 * 48)
	for b.Loop() {
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, general(x), general(w), 1, general(c))
	}
}
