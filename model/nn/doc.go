// Package nn is the network of the learned labeller: enough float32 code to
// train small networks over windows of a log on a few cores, and no more.
//
// A [Net] takes a [Batch]: windows of equal length, each line of which is a
// list of category numbers (features) and a list of lines that it relates to
// (edges). It adds up an embedding for each feature, passes the lines through
// one of two bodies, and gives scores for each head:
//
//   - [BiLSTM]: two stacked bidirectional LSTMs (Hochreiter and Schmidhuber
//     1997; Schuster and Paliwal 1997), which read the lines in the order of
//     the log;
//   - [Relational]: layers in which each line reads the lines it relates to,
//     as in relational graph convolutions (Schlichtkrull and others 2018).
//
// A head chooses among its classes and among the candidates that a line
// brings along, as in pointer networks with a mixture of generating and copying
// (See, Liu and Manning 2017): the probability of a value is that of its class
// and of all candidates that hold it. A value that was never seen in training
// can be right in this way. The loss is focal (Lin and others 2017), which lets
// lines that are easy count less.
//
// Gradients are written by hand and held against finite differences by a
// test. The products of matrices run in a kernel in assembly on amd64 with
// AVX2 and FMA, and in gonum elsewhere; elsewhere the last digits differ.
// On one machine the same seed gives the same bits, whatever the number of
// goroutines: a batch is cut in shards of a fixed size, and their gradients are
// added in a fixed order.
//
// To train, build a [Net], give each batch to [Trainer.Step]; to predict, call
// [Net.Scores] and read the result with [Net.Probabilities].
package nn
