// Package report shows how good the learned labeller is, and on what it relies:
// as one HTML page that needs no network, and as JSON.
//
// [New] takes the trials of a study (package train) and adds what takes longer
// to find out: how much worse the model gets when the values of a feature are
// dealt out anew among the lines ([Importance]), and a small decision tree that
// does what the network does, with the share of lines on which it does so
// ([Explain]). Everything is measured on lines that the measured model was not
// trained on.
package report
