package report

// Headline is the verdict in one line, for --quiet and for lists.
func (p *Page) Headline() string {
	return clean(p.title()+": "+p.lead(true).String(), maxMessage)
}

// Escape writes foreign text into Markdown so that it is shown as it is.
func Escape(text string) string { return markText(clean(text, maxMessage)) }
