// Package alert tells people of contexts that they asked to hear of: that
// somebody read secrets in kube-system, say, or that one command deleted more
// than fifty objects.
//
// A Config has rules and sinks, from a file of YAML (Read; docs/alerts.md) and
// from the rules that are built in (Default). A rule is a query over contexts,
// not over events: it sees who did something and all that followed.
//
// An Alerter is given contexts as they begin, grow and close, and judges each by
// every rule:
//
//	a, err := alert.Open(alert.Options{Config: config, State: "alerts.json"})
//	go a.Run(ctx)
//	err = a.Contexts("prod", grown) // from engine.Options.Contexts
//
// # At least once
//
// Contexts returns when the alerts are in the state file and synced; only then
// does a live engine note that it is past these events. A process that dies in
// between finds the same contexts again and judges them once more. Run delivers
// what is in the state file to each sink, in order, until the sink has taken it,
// over restarts too. So no alert is lost, and one may be delivered twice: its id
// is the same then.
//
// # And not more often
//
// A rule tells of a context once, however much it grows, unless Rule.Again asks
// for more. What was told is remembered for the newest 100,000 alerts.
//
// # Hostile text
//
// A summary holds names that anybody may have chosen. JSON is escaped as
// everywhere in whet, and text for Slack so that it mentions nobody and links to
// nothing but the server of Config.Link. The addresses of sinks, which may be
// secrets, are in no log.
package alert
