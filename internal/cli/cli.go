// Package cli joins the rooms: flags, streams, exit status, a file for each
// command.
package cli
