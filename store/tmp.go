package store

const tableRaw = "raw"
