package store

import (
	"context"
	"fmt"
)

// HoldContexts reads the contexts into memory, so that whoever asks for them
// often, as a server does, has answers in milliseconds. A context takes about a
// kilobyte. Of a data set with more than most of them it holds none, and
// returns false. Queries may run at the same time.
func (d *DataSet) HoldContexts(ctx context.Context, most int) (bool, error) {
	var n int
	if err := d.db.QueryRowContext(ctx, "SELECT count(*) FROM contexts").Scan(&n); err != nil {
		return false, fmt.Errorf("reading the data set: %w", err)
	}
	if n > most {
		return false, nil
	}
	for _, statement := range []string{
		`CREATE OR REPLACE TABLE heldContexts AS SELECT * FROM contexts ORDER BY "start", id, cluster`,
		`CREATE OR REPLACE VIEW contexts AS SELECT * FROM heldContexts`,
	} {
		if _, err := d.db.ExecContext(ctx, statement); err != nil {
			return false, fmt.Errorf("holding the contexts in memory: %w", err)
		}
	}
	d.held = true
	return true, nil
}
