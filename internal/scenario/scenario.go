// Package scenario is one user's walk: fill in the request, send it, check the
// answer, capture values for the next step.
package scenario
