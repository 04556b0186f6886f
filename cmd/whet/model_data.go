package main

import (
	"context"
	"slices"

	"github.com/spf13/pflag"

	"github.com/whet-k8s/whet/model/train"
)

// modelData are the flags and arguments that say which logs have true labels.
type modelData struct {
	logs, truths []string
	key          string
	// rules has the linker's rules decide alone.
	rules bool
}

func (d *modelData) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&d.logs, "log", nil, "a `LOG` whose truth the --truth in the same place names")
	f.StringArrayVar(&d.truths, "truth", nil, "`PREFIX` of a recording's files")
	f.StringVar(&d.key, "key", "", "take the labels from this `KEY` of each event, in logs that somebody has labelled")
}

// sources gives the logs. Arguments are labelled logs with --key, logs of a
// recording with --truth, and else recordings: prefixes, folders or patterns.
func (d *modelData) sources(args []string) ([]train.Source, error) {
	sources, err := d.find(args)
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		return nil, usageError("no data: name recordings, or labelled logs with --key")
	}
	for i := range sources {
		sources[i].Rules = d.rules
	}
	return sources, nil
}

func (d *modelData) find(args []string) ([]train.Source, error) {
	switch {
	case d.key != "":
		return d.labelled(append(slices.Clone(d.logs), args...))
	case len(d.logs) > 0 && len(d.logs) != len(d.truths):
		return nil, usageError("each --log needs a --truth: there are %d and %d", len(d.logs), len(d.truths))
	case len(d.logs) > 0:
		found, err := recordingsOf(args)
		return append(d.withTruths(d.logs), found...), err
	case len(args) == 0 || len(d.truths) == 0:
		return recordingsOf(append(slices.Clone(d.truths), args...))
	case len(d.truths) != 1 && len(d.truths) != len(args):
		return nil, usageError("--truth is there %d times, and there are %d logs: name one for all, or one for each", len(d.truths), len(args))
	}
	return d.withTruths(args), nil
}

// labelled gives logs that hold their labels.
func (d *modelData) labelled(logs []string) ([]train.Source, error) {
	if len(d.truths) > 0 {
		return nil, usageError("--key and --truth exclude each other: labels come from the log or from a recording's truth")
	}
	if len(logs) == 0 {
		return nil, nil
	}
	return train.Labelled(logs, d.key)
}

// withTruths gives logs with the truths in the same places, or with the only
// one.
func (d *modelData) withTruths(logs []string) []train.Source {
	var sources []train.Source
	for i, log := range logs {
		truth := d.truths[min(i, len(d.truths)-1)]
		sources = append(sources, train.Source{Name: log, Log: log, Truth: truth, Group: truth})
	}
	return sources
}

// recordingsOf gives the logs of recordings.
func recordingsOf(names []string) ([]train.Source, error) {
	var sources []train.Source
	for _, name := range names {
		found, err := train.Recordings(name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, found...)
	}
	return sources, nil
}

// filesOf lists the files that sources are read from.
func filesOf(sources []train.Source) ([]string, error) {
	var files []string
	for _, s := range sources {
		of, err := s.Files()
		if err != nil {
			return nil, err
		}
		files = append(files, of...)
	}
	return files, nil
}

// reserveApart is reserve for files that must not be those of the sources.
func reserveApart(sources []train.Source, targets ...target) error {
	files, err := filesOf(sources)
	if err != nil {
		return err
	}
	return reserve(files, targets...)
}

// load reads the logs and says so.
func load(ctx context.Context, log *modelLog, sources []train.Source) ([]train.Data, error) {
	data, err := train.LoadAll(ctx, sources, func(name string) { log.info("reading %s", name) })
	for i := range data {
		log.read(&data[i])
	}
	return data, err
}
