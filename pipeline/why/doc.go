// Package why answers the question who caused a change: it follows the links
// from an event, or from the last change of an object, up to the person who
// began it.
//
//	pod shop/web-7c9f was deleted because alice ran: scale deployment shop/web to 1
//
// Ask reads the log twice. The first time it looks for the changes of the
// target, the second time it keeps the events of the contexts that these
// belong to; a context has the same id both times, since ids follow from the
// input alone. So its memory follows the size of the contexts asked about, not
// the length of the log. At most MaxChanges changes of an object and
// maxRecords events of their contexts are kept; an answer that these bounds
// cut says so.
//
// AskSource asks events that were linked before, such as a data set's, with the
// same answer.
package why
