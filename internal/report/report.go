// Package report writes a verdict as text, Markdown, JSON, JUnit or
// annotations. It does no arithmetic.
package report
