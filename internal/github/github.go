// Package github speaks GitHub: event, comment, check run, workflow commands,
// summary, outputs, git data. It has not heard of load.
package github
