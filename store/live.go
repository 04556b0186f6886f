package store

// LiveFolder is the folder in that of a data set in which live mode keeps its
// own files: the queue, and what outlives a process. A data set leaves it alone,
// so that what is written live is asked, compacted and served by the same name.
const LiveFolder = "live"
