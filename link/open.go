package link

// Open counts the contexts that are open: those that events may still come to.
func (l *Linker) Open() int { return len(l.contexts) }
