package store

// SortAtOnce has a data set sort so many rows at once, as if there were little
// memory.
func (d *DataSet) SortAtOnce(n int64) { d.sorted = n }
