// Package alert tells people of contexts that they asked to hear of.
package alert
