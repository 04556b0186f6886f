package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example() []Tensor {
	return []Tensor{{"b", 2, 3, []float32{1, 2, 3, 4, 5, -6}}, {"a", 1, 1, []float32{0.5}}}
}

func write(t testing.TB, metadata map[string]string, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	metadata, tensors, err := Read(bytes.NewReader(write(t, map[string]string{"k": "v"}, example())), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example(), tensors); diff != "" {
		t.Error(diff)
	}
	if metadata["k"] != "v" {
		t.Errorf("metadata: %v", metadata)
	}
}

// TestChangedFilesAreRefused changes one byte after the other.
func TestChangedFilesAreRefused(t *testing.T) {
	whole := write(t, map[string]string{"k": "v"}, example())
	metadata, want, err := Read(bytes.NewReader(whole), 1<<20)
	if err != nil || Summed(metadata) != nil {
		t.Fatalf("read %v, %v", metadata, err)
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		metadata, tensors, err := Read(bytes.NewReader(changed), 1<<20)
		if err == nil && Summed(metadata) == nil && !cmp.Equal(want, tensors) {
			t.Errorf("with byte %d changed it is read as %v %v", i, metadata, tensors)
		}
	}
	weight := bytes.Clone(whole)
	weight[len(weight)-1] ^= 1
	if _, _, err := Read(bytes.NewReader(weight), 1<<20); err == nil || !strings.Contains(err.Error(), "was changed since it was written") {
		t.Errorf("the error is %v", err)
	}
}

func TestForeignFilesHaveNoSum(t *testing.T) {
	metadata, _, err := Read(bytes.NewReader(file(`{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}`, 4)), 1<<20)
	if err != nil || !errors.Is(Summed(metadata), ErrNoSum) {
		t.Errorf("metadata %v, %v", metadata, err)
	}
}

func TestNamesAreWrittenOnce(t *testing.T) {
	if err := Write(&bytes.Buffer{}, nil, []Tensor{{"a", 1, 1, []float32{1}}, {"a", 1, 1, []float32{1}}}); err == nil {
		t.Error("two tensors of one name were written")
	}
}

// file makes a file from an object and the length of its data.
func file(object string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(object)))
	return append(append(b, object...), make([]byte, data)...)
}

func TestBadFilesAreRefused(t *testing.T) {
	tensor := func(kind, shape, offsets string) string {
		return fmt.Sprintf(`{"a":{"dtype":%q,"shape":%s,"data_offsets":%s}}`, kind, shape, offsets)
	}
	whole := write(t, nil, example())
	notANumber := file(tensor("F32", "[1,1]", "[0,4]"), 0)
	notANumber = append(notANumber, 0, 0, 0xc0, 0x7f)
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":               {nil, "less than 8 bytes"},
		"cut off":             {whole[:len(whole)-1], "lies at"},
		"cut in the object":   {whole[:20], "cut off"},
		"too long":            {append(bytes.Clone(whole), 0), "the last 1 bytes"},
		"huge object":         {append(bytes.Repeat([]byte{0xff}, 8), whole...), "cut off"},
		"no JSON":             {file("{", 0), "its object"},
		"metadata no strings": {file(`{"__metadata__":3}`, 0), "its metadata"},
		"another type":        {file(tensor("F16", "[1,2]", "[0,4]"), 4), "must be a matrix"},
		"no matrix":           {file(tensor("F32", "[1]", "[0,4]"), 4), "must be a matrix"},
		"overflowing shape":   {file(tensor("F32", "[4294967296,4294967296]", "[0,0]"), 0), "for a shape"},
		"negative shape":      {file(tensor("F32", "[-1,-1]", "[0,4]"), 4), "for a shape"},
		"negative size":       {file(tensor("F32", "[1,1]", "[0,-4]"), 4), "lies at"},
		"beyond the data":     {file(tensor("F32", "[1,4]", "[0,16]"), 4), "lies at"},
		"a gap":               {file(tensor("F32", "[1,1]", "[4,8]"), 8), "lies at"},
		"overlapping": {file(`{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},`+
			`"b":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]}}`, 8), "lies at"},
		"not a number": {notANumber, "holds NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Read(bytes.NewReader(test.data), 1<<20)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, and should tell %q", err, test.want)
			}
		})
	}
	if _, _, err := Read(bytes.NewReader(whole), int64(len(whole)-1)); err == nil {
		t.Error("a file above the limit was read")
	}
}

// FuzzRead holds that no input breaks Read, and that what it takes can be
// written and read again.
func FuzzRead(f *testing.F) {
	f.Add(write(f, map[string]string{"k": "v"}, example()))
	f.Add(file(`{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}`, 4))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		metadata, tensors, err := Read(bytes.NewReader(data), 1<<20)
		if err != nil {
			return
		}
		_, again, err := Read(bytes.NewReader(write(t, metadata, tensors)), 1<<24)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tensors, again); diff != "" {
			t.Error(diff)
		}
	})
}

func ExampleRead() {
	var file bytes.Buffer
	weights := Tensor{Name: "weights", Rows: 1, Cols: 2, Data: []float32{0.25, -1}}
	if err := Write(&file, map[string]string{"trained": "yes"}, []Tensor{weights}); err != nil {
		fmt.Println(err)
	}
	metadata, tensors, err := Read(&file, 1<<20)
	fmt.Println(metadata["trained"], tensors, err)
	// Output: yes [{weights 1 2 [0.25 -1]}] <nil>
}
