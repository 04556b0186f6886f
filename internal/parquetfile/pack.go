package parquetfile

import "encoding/binary"

// appendLevels appends the definition levels of a page, with their length
// before them: 1 for a value, 0 for NULL.
func appendLevels(b []byte, rows int, null func(int) bool) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	levels := make([]int32, rows)
	for i := range levels {
		if !null(i) {
			levels[i] = 1
		}
	}
	b = appendHybrid(b, levels, 1)
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

// appendIndexes appends the indexes of a dictionary of n values, without those
// of NULL, in as many whole bytes as they need.
func appendIndexes(b []byte, index []int32, n int) []byte {
	width := 8
	for n > 1<<width {
		width += 8
	}
	present := make([]int32, 0, len(index))
	for _, i := range index {
		if i >= 0 {
			present = append(present, i)
		}
	}
	return appendHybrid(append(b, byte(width)), present, width)
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

// appendPacked appends values of so many bits each, in groups of eight.
func appendPacked(b []byte, list []int32, width int) []byte {
	if len(list) == 0 {
		return b
	}
	groups := (len(list) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	if width%8 == 0 {
		for _, n := range list {
			for at := 0; at < width; at += 8 {
				b = append(b, byte(n>>at))
			}
		}
		for range (groups*8 - len(list)) * width / 8 {
			b = append(b, 0)
		}
		return b
	}
	var bits uint64
	filled := 0
	for i := range groups * 8 {
		if i < len(list) {
			bits |= uint64(list[i]) << filled
		}
		filled += width
		for filled >= 8 {
			b = append(b, byte(bits))
			bits >>= 8
			filled -= 8
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
