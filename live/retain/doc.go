// Package retain looks after a data set that live mode writes to: it merges the
// small files that come every few seconds, and removes what is older, or more,
// than somebody wants to keep.
//
//	keeper := retain.New(retain.Options{
//		DataSet: dir,
//		Limits:  retain.Limits{Events: retain.Limit{Age: 30 * 24 * time.Hour, Bytes: 20 << 30}},
//	})
//	err := keeper.Run(ctx)
//
// Both run beside those who write and those who read: merging holds nobody up
// but for the moment in which the new files take the place of the old ones, and
// whoever has the data set open keeps the files that he sees.
//
// Limits are by kind of data, so that contexts, which are small, can be kept for
// longer than the events below them. Files go whole. A file holds a day of one
// kind at most, so data is removed up to a day after its age is reached.
package retain
