#include "textflag.h"

// func fma4x16(k int, a *float32, aRow, aStep uintptr, b *float32, bStep uintptr, c *float32, cRow uintptr)
//
// Adds to a tile of four rows and sixteen columns of c the product of four rows
// of a and sixteen columns of b. Strides are in bytes. The tile stays in Y0-Y7.
TEXT ·fma4x16(SB), NOSPLIT, $0-64
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), R8
	MOVQ aRow+16(FP), R9
	MOVQ aStep+24(FP), R10
	MOVQ b+32(FP), R11
	MOVQ bStep+40(FP), R12
	MOVQ c+48(FP), DI
	MOVQ cRow+56(FP), SI
	LEAQ (DI)(SI*2), DX
	LEAQ (R9)(R9*2), BX
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS (DI)(SI*1), Y2
	VMOVUPS 32(DI)(SI*1), Y3
	VMOVUPS (DX), Y4
	VMOVUPS 32(DX), Y5
	VMOVUPS (DX)(SI*1), Y6
	VMOVUPS 32(DX)(SI*1), Y7
	TESTQ CX, CX
	JLE   store

loop:
	VMOVUPS (R11), Y8
	VMOVUPS 32(R11), Y9
	VBROADCASTSS (R8), Y10
	VBROADCASTSS (R8)(R9*1), Y11
	VBROADCASTSS (R8)(R9*2), Y12
	VBROADCASTSS (R8)(BX*1), Y13
	VFMADD231PS Y8, Y10, Y0
	VFMADD231PS Y9, Y10, Y1
	VFMADD231PS Y8, Y11, Y2
	VFMADD231PS Y9, Y11, Y3
	VFMADD231PS Y8, Y12, Y4
	VFMADD231PS Y9, Y12, Y5
	VFMADD231PS Y8, Y13, Y6
	VFMADD231PS Y9, Y13, Y7
	ADDQ R10, R8
	ADDQ R12, R11
	DECQ CX
	JNZ  loop

store:
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, (DI)(SI*1)
	VMOVUPS Y3, 32(DI)(SI*1)
	VMOVUPS Y4, (DX)
	VMOVUPS Y5, 32(DX)
	VMOVUPS Y6, (DX)(SI*1)
	VMOVUPS Y7, 32(DX)(SI*1)
	VZEROUPPER
	RET

// func fma1x16(k int, a *float32, aStep uintptr, b *float32, bStep uintptr, c *float32)
//
// The same for one row.
TEXT ·fma1x16(SB), NOSPLIT, $0-48
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), R8
	MOVQ aStep+16(FP), R10
	MOVQ b+24(FP), R11
	MOVQ bStep+32(FP), R12
	MOVQ c+40(FP), DI
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	TESTQ CX, CX
	JLE   store1

loop1:
	VBROADCASTSS (R8), Y10
	VFMADD231PS (R11), Y10, Y0
	VFMADD231PS 32(R11), Y10, Y1
	ADDQ R10, R8
	ADDQ R12, R11
	DECQ CX
	JNZ  loop1

store1:
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET

// func add16(n int, x, y *float32)
//
// Adds x to y, in n blocks of sixteen.
TEXT ·add16(SB), NOSPLIT, $0-24
	MOVQ n+0(FP), CX
	MOVQ x+8(FP), R8
	MOVQ y+16(FP), DI
	TESTQ CX, CX
	JLE   done

addloop:
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VADDPS (R8), Y0, Y0
	VADDPS 32(R8), Y1, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, R8
	ADDQ $64, DI
	DECQ CX
	JNZ  addloop

done:
	VZEROUPPER
	RET
