// Package evaluate measures how well reconstructed contexts agree with the
// truth of a recording.
//
// A recording is a log whose causes are known: beside the log lie
// PREFIX.truth.jsonl, which says for every line which command it belongs to and
// in what role, and PREFIX.contexts.jsonl, a line for every command. What a
// program says about the log are its annotations: a JSON line for every line of
// the log, of which the fields line, context, role and label count here.
//
// [Load] reads a recording, [ReadAnnotations] a file of annotations, and
// [Score] compares the two:
//
//	truth, err := evaluate.Load(ctx, "recordings/day")
//	…
//	figures, err := evaluate.Score(truth, evaluate.ReadAnnotations(file, "day.annotations.jsonl"))
//
// The figures and their names are those of the script that came with the
// recordings (testdata/score.py here, and a test runs both), with two more
// about labels:
//
//   - attribution: of the effects, the share put into a context that stands for
//     the command that truly caused them. A context stands for the command of
//     the first line that it calls its root and that is a command's own
//     request; without one, for the command of most of its such requests.
//   - hard attribution: the same without the namespace controller's effects,
//     which are many and easy.
//   - effects without context: of the effects, the share put into no context.
//   - false blame: of the background lines, the share put into a context that
//     holds a command's request.
//   - root recall, root precision: of the lines whose role is root.
//   - b3: B-cubed precision, recall and F1 over the root, client and effect
//     lines of the commands with at most one principal request.
//   - exact: of those commands, the share whose lines are one context, and
//     nothing else in it.
//   - label accuracy: of the root, client and effect lines, the share whose
//     label is the one that package label gives their command's root. It is
//     known only where the recording's log lies beside the truth. Of a command
//     with several principal requests (an apply of several objects) the truth
//     has the first as root, so a program that labels each object's context by
//     its own request gets less than 1.
//   - label macro F1: the mean over all labels, true or said, of their F1, on
//     the same lines. A line without a label counts as missed, and not as a
//     label of its own.
//
// Lines with the role unscored, and requests that name no resource (discovery),
// count nowhere. Shares are rounded to four decimals, half to even.
package evaluate
