// Package baseline finds, reads and writes the runs that main left behind.
package baseline
