package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"slices"
	"strings"

	"github.com/whet-k8s/whet/internal/term"
	"github.com/whet-k8s/whet/store"
)

// Check compares the acknowledged events, in a file that Send wrote, with those
// of a data set, which has none of those that the default noise policy drops.
// The error says that some are missing, or there twice; the text has the
// numbers.
func Check(ctx context.Context, acked, dir string) (string, error) {
	seed := maphash.MakeSeed()
	sent, dropped, err := readAcked(acked, seed)
	if err != nil {
		return "", err
	}
	data, err := store.Open(ctx, dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = data.Close() }()
	stored, err := readStored(ctx, data, seed)
	if err != nil {
		return "", fmt.Errorf("reading the events of %s: %w", dir, err)
	}
	missing, twice := compare(sent, stored)
	report := fmt.Sprintf("acknowledged  %s\ndropped       %s by the noise policy\nstored        %s\nmissing       %s\ntwice         %s\n",
		term.Count(len(sent)+dropped), term.Count(dropped), term.Count(len(stored)), term.Count(missing), term.Count(twice))
	if missing > 0 || twice > 0 {
		return report, errors.New("what is stored is not what was acknowledged")
	}
	return report, nil
}

// readAcked reads the file of acknowledged events, as sums of their lines. What
// was acknowledged twice counts once. Those to be dropped are counted only.
func readAcked(name string, seed maphash.Seed) (sums []uint64, dropped int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }()
	scan := bufio.NewScanner(file)
	for scan.Scan() {
		if bytes.HasSuffix(scan.Bytes(), []byte(markDropped)) {
			dropped++
			continue
		}
		sums = append(sums, maphash.Bytes(seed, scan.Bytes()))
	}
	slices.Sort(sums)
	return slices.Compact(sums), dropped, scan.Err()
}

// readStored reads the same of the events of a data set.
func readStored(ctx context.Context, data *store.DataSet, seed maphash.Seed) ([]uint64, error) {
	rows, err := data.DB().QueryContext(ctx, "SELECT auditID, stage FROM "+store.ViewEvents)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var sums []uint64
	for rows.Next() {
		var id, stage string
		if err := rows.Scan(&id, &stage); err != nil {
			return nil, err
		}
		sums = append(sums, maphash.String(seed, strings.Join([]string{id, stage}, " ")))
	}
	slices.Sort(sums)
	return sums, rows.Err()
}

// compare counts the sums of sent that stored lacks, and those that it has more
// than once. Both are sorted.
func compare(sent, stored []uint64) (missing, twice int) {
	for i := 1; i < len(stored); i++ {
		if stored[i] == stored[i-1] {
			twice++
		}
	}
	at := 0
	for _, sum := range sent {
		for at < len(stored) && stored[at] < sum {
			at++
		}
		if at == len(stored) || stored[at] != sum {
			missing++
		}
	}
	return missing, twice
}
