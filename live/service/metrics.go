package service

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/whet-k8s/whet/live/config"
	"github.com/whet-k8s/whet/live/engine"
)

// newMetrics makes the registry behind /metrics.
func (s *Service) newMetrics() (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&collector{service: s, metrics: describe()},
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("preparing the metrics: %w", err)
		}
	}
	return r, nil
}

// metric is a metric that is read from what the parts of the server count.
type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// describe gives the metrics by name, without the whet_ before it.
func describe() map[string]metric {
	all := map[string]metric{}
	add := func(kind prometheus.ValueType, name, help string, labels ...string) {
		all[name] = metric{prometheus.NewDesc("whet_"+name, help, labels, nil), kind}
	}
	counter := func(name, help string, labels ...string) { add(prometheus.CounterValue, name, help, labels...) }
	gauge := func(name, help string, labels ...string) { add(prometheus.GaugeValue, name, help, labels...) }

	gauge("build_info", "The version of whet; the value is 1.", "version")
	gauge("ready", "Whether events are taken and analysed, as /readyz says.")
	counter("events_received_total", "Events that came from a source; of files, their lines.", "cluster", "source")
	counter("events_acknowledged_total", "Events that came from a source and are on disk.", "cluster", "source")
	counter("bytes_received_total", "Bytes that came from a source, after decompression.", "cluster", "source")
	counter("bodies_refused_total", "Bodies that a webhook refused, by the reason.", "cluster", "reason")
	gauge("source_up", "Whether a source that is followed can be read.", "cluster", "source")
	gauge("source_behind_bytes", "Bytes of the log that is being read which wait to be read.", "cluster", "source")
	counter("source_truncated_total", "How often a log was cut off or written anew.", "cluster", "source")
	counter("source_too_long_total", "Lines of which only the beginning was kept.", "cluster", "source")

	gauge("queue_messages", "Messages in the queue that are not analysed and saved.", "cluster")
	gauge("queue_bytes", "What they take on disk.", "cluster")
	gauge("queue_writable", "Whether the queue takes events.", "cluster")
	gauge("lag_seconds", "How far the analysis is behind the queue, 0 when it has taken everything.", "cluster")

	gauge("engine_up", "Whether the analysis runs and its last checkpoint succeeded.", "cluster")
	counter("events_analysed_total", "Events that were analysed, repeated ones too.", "cluster")
	counter("events_repeated_total", "Events that came before and were left out.", "cluster")
	counter("events_malformed_total", "Lines or items that are no event.", "cluster")
	counter("events_dropped_total", "Events that a noise rule dropped.", "cluster", "rule")
	counter("events_set_aside_total", "Background that a noise rule set aside.", "cluster", "rule")
	counter("links_total", "Events that were linked to their cause, by the rule and the confidence in tenths, rounded down.", "cluster", "rule", "confidence")
	gauge("contexts_open", "Contexts that may still grow.", "cluster")
	gauge("state_bytes", "The size of the state in the last checkpoint.", "cluster")
	counter("checkpoints_total", "Checkpoints that succeeded.", "cluster")
	gauge("checkpoint_seconds", "How long the last checkpoint took.", "cluster")
	gauge("newest_event_timestamp_seconds", "The latest stageTimestamp that was analysed.", "cluster")

	counter("contexts_published_total", "Contexts that grew or closed, as told to listeners.")
	counter("contexts_missed_total", "Contexts that listeners came too late for.")
	gauge("listeners", "Clients that listen to contexts.")
	counter("alerts_fired_total", "Alerts, by the rule.", "rule")
	counter("alerts_delivered_total", "Alerts that a sink took.", "sink")
	counter("alerts_failed_total", "Attempts that a sink refused.", "sink")
	counter("alerts_dropped_total", "Alerts that were given up.", "sink")
	gauge("alerts_waiting", "Alerts that a sink has not taken yet.", "sink")
	gauge("retention_up", "Whether old files were removed and small ones merged the last time.")
	gauge("view_up", "Whether readers are shown what is new in the data set.")
	counter("files_removed_total", "Files of the data set that retention removed.")
	counter("files_merged_total", "Files of the data set that were merged.")
	return all
}

// collector reads the counts of the parts when it is asked.
type collector struct {
	service *Service
	metrics map[string]metric
}

// Describe gives the metrics that there are.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		to <- m.desc
	}
}

// sample gives one value.
type sample func(name string, value float64, labels ...string)

// Collect gives the metrics as they are.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	give := func(name string, value float64, labels ...string) {
		m := c.metrics[name]
		to <- prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
	}
	s := c.service
	give("build_info", 1, s.options.Version)
	ready := 1.0
	for _, one := range s.checks(ctx) {
		if one.err != nil && !one.aside {
			ready = 0
		}
	}
	give("ready", ready)
	for _, k := range s.clusters {
		s.sources(k, give)
		s.queued(ctx, k, give)
		s.analysed(k, give)
	}
	s.readers(give)
}

// sources gives what came from the sources of a cluster.
func (s *Service) sources(c *cluster, give sample) {
	name := c.config.Name
	stats := s.webhook.Stats()[name]
	if c.webhook {
		source := string(config.Webhook)
		give("events_received_total", float64(stats.Received), name, source)
		give("events_acknowledged_total", float64(stats.Acknowledged), name, source)
		give("bytes_received_total", float64(stats.Bytes), name, source)
		for reason, n := range stats.Refused {
			give("bodies_refused_total", float64(n), name, string(reason))
		}
	}
	for _, f := range c.followers {
		st, source := f.Stats(), sourceName(f.source)
		// What is read from a file is on disk when it is counted.
		give("events_received_total", float64(st.Lines), name, source)
		give("events_acknowledged_total", float64(st.Lines), name, source)
		give("bytes_received_total", float64(st.Bytes), name, source)
		give("source_up", truth(st.Err == nil && !st.Ended), name, source)
		give("source_behind_bytes", float64(st.Behind), name, source)
		give("source_truncated_total", float64(st.Truncated), name, source)
		give("source_too_long_total", float64(st.TooLong), name, source)
	}
}

// queued gives how full the queue of a cluster is.
func (s *Service) queued(ctx context.Context, c *cluster, give sample) {
	name := c.config.Name
	give("queue_writable", truth(c.stream.Writable(ctx) == nil), name)
	stats, err := c.stream.Stats(ctx)
	if err != nil {
		return // queue_writable says so
	}
	give("queue_messages", float64(stats.Messages), name)
	give("queue_bytes", float64(stats.Bytes), name)
	lag := 0.0
	// The queue keeps messages until the state that has taken them is saved, and
	// the last one that was taken may be from before a long silence.
	if done, _ := c.state(); done.Taken < stats.Last {
		lag = max(min(time.Since(stats.Oldest), time.Since(done.Published)).Seconds(), 0)
	}
	give("lag_seconds", lag, name)
}

// analysed gives what the engine of a cluster did.
func (s *Service) analysed(c *cluster, give sample) {
	name := c.config.Name
	var stats engine.Stats
	stats, err := c.state()
	give("engine_up", truth(err == nil), name)
	give("events_analysed_total", float64(stats.Events), name)
	give("events_repeated_total", float64(stats.Repeated), name)
	give("events_malformed_total", float64(stats.Malformed), name)
	for rule, n := range stats.Dropped {
		give("events_dropped_total", float64(n), name, rule)
	}
	for rule, n := range stats.SetAside {
		give("events_set_aside_total", float64(n), name, rule)
	}
	for link, n := range stats.Links {
		give("links_total", float64(n), name, link.Rule, strconv.FormatFloat(float64(link.Confidence)/10, 'f', 1, 64))
	}
	give("contexts_open", float64(stats.Open), name)
	give("state_bytes", float64(stats.StateBytes), name)
	give("checkpoints_total", float64(stats.Checkpoints), name)
	give("checkpoint_seconds", stats.LastCheckpoint.Seconds(), name)
	if !stats.Newest.IsZero() {
		give("newest_event_timestamp_seconds", float64(stats.Newest.UnixMicro())/1e6, name)
	}
}

// readers gives what contexts went to.
func (s *Service) readers(give sample) {
	heard := s.hub.Stats()
	give("contexts_published_total", float64(heard.Published))
	give("contexts_missed_total", float64(heard.Missed))
	give("listeners", float64(heard.Subscribers))
	for reason, n := range s.webhook.Stats()[""].Refused {
		give("bodies_refused_total", float64(n), "", string(reason))
	}
	kept := s.keeper.Stats()
	give("retention_up", truth(kept.Err == nil))
	give("view_up", truth(s.server.Stale() == nil))
	give("files_removed_total", float64(kept.Removed))
	give("files_merged_total", float64(kept.Merged))
	if s.alerter == nil {
		return
	}
	alerts := s.alerter.Stats()
	for rule, n := range alerts.Fired {
		give("alerts_fired_total", float64(n), rule)
	}
	for sink, st := range alerts.Sinks {
		give("alerts_delivered_total", float64(st.Delivered), sink)
		give("alerts_failed_total", float64(st.Failed), sink)
		give("alerts_dropped_total", float64(st.Dropped), sink)
		give("alerts_waiting", float64(st.Waiting), sink)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
