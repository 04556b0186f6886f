// Package safetensors reads and writes the file format of the same name
// (https://github.com/huggingface/safetensors#format) for matrices of float32:
// eight bytes with the length of a JSON object, least significant byte first;
// the object, which gives each tensor its type, shape and place, and beside
// them a map of strings, __metadata__; then the tensors' bytes without gaps.
//
// Nothing in such a file can run. [Read] believes no number in it before it has
// checked it against what is there, so that it never takes more memory than a
// few times the file's size.
//
// [Write] adds a checksum of all of it to the metadata, under [SumKey], and
// [Read] refuses a file whose content has another one. Files of other programs
// have none; whoever wants one asks for it ([Summed]).
package safetensors

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

const (
	metadataKey = "__metadata__"
	floatType   = "F32"
	// SumKey is the metadata's key for the SHA-256 of the other metadata and of
	// the tensors, in hex.
	SumKey = "sha256"
	// maxObject bounds the JSON object, in bytes.
	maxObject = 16 << 20
	// align is to what the object is filled with spaces, so that the data
	// lies where a program can map it.
	align = 8
)

// Tensor is a matrix with a name.
type Tensor struct {
	Name       string
	Rows, Cols int
	Data       []float32
}

// tensorInfo is what the object says of a tensor.
type tensorInfo struct {
	Type    string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// ErrNoSum is the error of Summed.
var ErrNoSum = errors.New("it has no checksum, with which whet writes all its files")

// Summed tells whether a file with this metadata was held against a checksum
// when it was read; if not, the error is ErrNoSum.
func Summed(metadata map[string]string) error {
	if metadata[SumKey] == "" {
		return ErrNoSum
	}
	return nil
}

// sum is the checksum of a file's content.
func sum(metadata map[string]string, tensors []Tensor) (string, error) {
	rest := map[string]string{}
	maps.Copy(rest, metadata)
	delete(rest, SumKey)
	type shape struct {
		Name       string
		Rows, Cols int
	}
	content := struct {
		Metadata map[string]string
		Tensors  []shape
	}{Metadata: rest}
	for _, t := range tensors {
		content.Tensors = append(content.Tensors, shape{t.Name, t.Rows, t.Cols})
	}
	// Maps are written in the order of their keys.
	head, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(head)
	var b []byte
	for _, t := range tensors {
		b = appendFloats(b[:0], t.Data)
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func appendFloats(b []byte, data []float32) []byte {
	for _, v := range data {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// Write writes a file, with its checksum in the metadata. The same tensors in
// the same order give the same bytes. It fails where w does, or on two tensors
// of one name.
func Write(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	checksum, err := sum(metadata, tensors)
	if err != nil {
		return fmt.Errorf("writing tensors: %w", err)
	}
	summed := map[string]string{}
	maps.Copy(summed, metadata)
	summed[SumKey] = checksum
	object := map[string]any{metadataKey: summed}
	at := int64(0)
	for _, t := range tensors {
		if _, twice := object[t.Name]; twice {
			return fmt.Errorf("writing tensors: %q is there twice", t.Name)
		}
		size := int64(4 * len(t.Data))
		object[t.Name] = tensorInfo{floatType, []int{t.Rows, t.Cols}, [2]int64{at, at + size}}
		at += size
	}
	// Maps are written in the order of their keys.
	b, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("writing tensors: %w", err)
	}
	for len(b)%align != 0 {
		b = append(b, ' ')
	}
	out := binary.LittleEndian.AppendUint64(make([]byte, 0, 8+int64(len(b))+at), uint64(len(b)))
	out = append(out, b...)
	for _, t := range tensors {
		out = appendFloats(out, t.Data)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("writing tensors: %w", err)
	}
	return nil
}

// Read reads a file of at most limit bytes and gives its tensors in the order
// in which they lie. It fails where r does, on what is no such file: with
// tensors that are no matrices of float32, overlap, leave gaps, or hold what is
// no number, and on one that is not as its checksum says.
func Read(r io.Reader, limit int64) (metadata map[string]string, tensors []Tensor, err error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, nil, fmt.Errorf("reading tensors: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, nil, fmt.Errorf("reading tensors: the file is larger than %d bytes", limit)
	}
	if len(data) < 8 {
		return nil, nil, errors.New("no safetensors file: it has less than 8 bytes")
	}
	length := binary.LittleEndian.Uint64(data)
	if length > maxObject || length > uint64(len(data)-8) {
		return nil, nil, fmt.Errorf("no safetensors file, or cut off: its object is said to have %d bytes", length)
	}
	infos, metadata, err := readObject(data[8 : 8+length])
	if err != nil {
		return nil, nil, fmt.Errorf("no safetensors file: %w", err)
	}
	if tensors, err = readTensors(infos, data[8+length:]); err != nil {
		return nil, nil, err
	}
	return metadata, tensors, check(metadata, tensors)
}

// check compares a file with the checksum that it has, if it has one.
func check(metadata map[string]string, tensors []Tensor) error {
	want := metadata[SumKey]
	if want == "" {
		return nil
	}
	got, err := sum(metadata, tensors)
	if err != nil {
		return fmt.Errorf("checking tensors: %w", err)
	}
	if got != want {
		return fmt.Errorf("the file was changed since it was written: its content has the SHA-256 %.12s…, and should have %.12q…", got, want)
	}
	return nil
}

// named is a tensorInfo with its name.
type named struct {
	name string
	tensorInfo
}

func readObject(object []byte) ([]named, map[string]string, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, nil, fmt.Errorf("its object: %w", err)
	}
	var metadata map[string]string
	var infos []named
	for name, raw := range members {
		if name == metadataKey {
			if err := json.Unmarshal(raw, &metadata); err != nil {
				return nil, nil, fmt.Errorf("its metadata: %w", err)
			}
			continue
		}
		info := named{name: name}
		if err := json.Unmarshal(raw, &info.tensorInfo); err != nil {
			return nil, nil, fmt.Errorf("its tensor %.80q: %w", name, err)
		}
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.name, b.name))
	})
	return infos, metadata, nil
}

func readTensors(infos []named, data []byte) ([]Tensor, error) {
	var tensors []Tensor
	at := int64(0)
	for _, info := range infos {
		t := Tensor{Name: info.name}
		if info.Type != floatType || len(info.Shape) != 2 {
			return nil, fmt.Errorf("the tensor %.80q is of the type %.20q with %d dimensions, and must be a matrix of %s", info.name, info.Type, len(info.Shape), floatType)
		}
		t.Rows, t.Cols = info.Shape[0], info.Shape[1]
		size := info.Offsets[1] - info.Offsets[0]
		if info.Offsets[0] != at || size < 0 || size > int64(len(data))-at {
			return nil, fmt.Errorf("the tensor %.80q lies at %v, and should begin at %d of %d bytes", info.name, info.Offsets, at, len(data))
		}
		// Each factor is bounded before they are multiplied.
		if most := size / 4; t.Rows < 1 || t.Cols < 1 || int64(t.Rows) > most || int64(t.Cols) > most || int64(t.Rows)*int64(t.Cols)*4 != size {
			return nil, fmt.Errorf("the tensor %.80q has %d bytes for a shape of %v", info.name, size, info.Shape)
		}
		t.Data = make([]float32, size/4)
		for i := range t.Data {
			t.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[at+int64(4*i):]))
			if v := float64(t.Data[i]); math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("the tensor %.80q holds %v", info.name, v)
			}
		}
		at += size
		tensors = append(tensors, t)
	}
	if at != int64(len(data)) {
		return nil, fmt.Errorf("no tensor has the last %d bytes", int64(len(data))-at)
	}
	return tensors, nil
}
