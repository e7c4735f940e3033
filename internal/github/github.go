// Package github speaks GitHub: the event that started a job, inputs, the
// sticky comment, the check run, workflow commands, summary, outputs, and files
// kept on a branch through the Git Data API. It has not heard of load: strings
// and numbers come in, and what they mean is the caller's affair.
//
// Limits that GitHub sets stand beside their constants, each with its source.
package github
