// Package stat says how two samples differ and how sure one may be.
// Numbers in, numbers out: it knows no run, no step and no file.
package stat
