package parquetfile

import (
	"encoding/binary"
	"slices"
)

// appendLevels appends the definition levels of a page, with their length
// before them: 1 for a value, 0 for NULL. Missing is the number of NULLs.
func appendLevels(b []byte, rows, missing int, null func(int) bool) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	switch missing {
	case 0:
		b = append(binary.AppendUvarint(b, uint64(rows)<<1), 1)
	case rows:
		b = append(binary.AppendUvarint(b, uint64(rows)<<1), 0)
	default:
		b = appendBits(b, rows, null)
	}
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

// appendBits appends a bit a row, in runs where a value repeats and packed
// otherwise.
func appendBits(b []byte, rows int, null func(int) bool) []byte {
	const group = 8 * 64 // rows that are packed together, at least
	for row := 0; row < rows; {
		first := null(row)
		end := row + 1
		for end < rows && null(end) == first {
			end++
		}
		if end-row >= group || end == rows {
			b = binary.AppendUvarint(b, uint64(end-row)<<1)
			if first {
				b = append(b, 0)
			} else {
				b = append(b, 1)
			}
			row = end
			continue
		}
		end = min(row+group, rows)
		b = binary.AppendUvarint(b, uint64((end-row+7)/8)<<1|1)
		for ; row < end; row += 8 {
			var bits byte
			for i := range min(8, end-row) {
				if !null(row + i) {
					bits |= 1 << i
				}
			}
			b = append(b, bits)
		}
		row = end
	}
	return b
}

// appendIndexes appends the indexes of a dictionary of n values, without those
// of NULL, in as many whole bytes as they need.
func appendIndexes(b []byte, index []int32, n int) []byte {
	width := 8
	for n > 1<<width {
		width += 8
	}
	b = append(b, byte(width))
	if !slices.Contains(index, -1) {
		return appendHybrid(b, index, width)
	}
	present := make([]int32, 0, len(index))
	for _, i := range index {
		if i >= 0 {
			present = append(present, i)
		}
	}
	return appendHybrid(b, present, width)
}

// minRun is how often a value must repeat to become a run of its own: a run
// takes about three bytes, and cuts the bytes before and after it apart.
const minRun = 64

// appendHybrid appends values in Parquet's hybrid of runs and packed bits.
func appendHybrid(b []byte, list []int32, width int) []byte {
	packedFrom := 0
	for i := 0; i < len(list); {
		end := i + 1
		for end < len(list) && list[end] == list[i] {
			end++
		}
		// What is packed before a run must fill whole groups of eight.
		begin := i + (8-(i-packedFrom)%8)%8
		if end-begin < minRun {
			i = end
			continue
		}
		b = appendPacked(b, list[packedFrom:begin], width)
		b = binary.AppendUvarint(b, uint64(end-begin)<<1)
		for at := 0; at < width; at += 8 {
			b = append(b, byte(list[begin]>>at))
		}
		packedFrom, i = end, end
	}
	return appendPacked(b, list[packedFrom:], width)
}

// appendPacked appends values of so many bits each, which are whole bytes, in
// groups of eight.
func appendPacked(b []byte, list []int32, width int) []byte {
	if len(list) == 0 {
		return b
	}
	groups := (len(list) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	b = appendBytes(b, list, width)
	for range (groups*8 - len(list)) * width / 8 {
		b = append(b, 0)
	}
	return b
}

// appendBytes appends values of so many whole bytes each.
func appendBytes(b []byte, list []int32, width int) []byte {
	switch width {
	case 8:
		for _, n := range list {
			b = append(b, byte(n))
		}
	case 16:
		for _, n := range list {
			b = append(b, byte(n), byte(n>>8))
		}
	default:
		for _, n := range list {
			for at := 0; at < width; at += 8 {
				b = append(b, byte(n>>at))
			}
		}
	}
	return b
}

// appendBools appends a bit a value.
func appendBools(b []byte, list []int64) []byte {
	for i, n := range list {
		if i%8 == 0 {
			b = append(b, 0)
		}
		b[len(b)-1] |= byte(n&1) << (i % 8)
	}
	return b
}
