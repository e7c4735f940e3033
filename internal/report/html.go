package report

import "io"

// HTML is a place holder until the report lands.
func (p *Page) HTML(w io.Writer) error { return nil }
