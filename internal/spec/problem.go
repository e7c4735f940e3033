package spec

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxProblems is how many problems of a file are told at once.
const MaxProblems = 25

// String is the problem in one line: "file:line:column: what is wrong; what to
// do". A problem of a flag stands under the flag's name, without a line.
func (p Problem) String() string {
	s := p.File
	if p.Pos.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d", p.File, p.Pos.Line, p.Pos.Column)
	}
	return s + ": " + strings.ReplaceAll(p.Text(), "\n", " ")
}

// Text is what is wrong and what to do about it, without the place.
func (p Problem) Text() string {
	switch {
	case p.Hint == "":
		return p.Message
	case strings.HasSuffix(p.Message, "?") || strings.HasSuffix(p.Message, ":"):
		return p.Message + " " + p.Hint
	default:
		return p.Message + "; " + p.Hint
	}
}

// WriteExcerpt writes the problem with the line it stands in, marked:
//
//	loadtest.toml:22:3: unknown key "requst" in [[scenario.step]]
//	   22 |   requst = "GET /users"
//	      |   ^^^^^^ did you mean "request"?
func (p Problem) WriteExcerpt(w io.Writer) error {
	const margin = "\n      | "
	short := p
	short.Hint = ""
	hint := strings.ReplaceAll(p.Hint, "\n", margin)
	switch {
	case p.Pos.Line > 0 && strings.TrimSpace(p.Source) != "":
		line, mark := window(p)
		_, err := fmt.Fprintf(w, "%s\n%5d | %s%s%s\n", short, p.Pos.Line, line, margin, strings.TrimRight(mark+" "+hint, " "))
		return err
	case strings.Contains(hint, margin):
		_, err := fmt.Fprintf(w, "%s%s%s\n", short, margin, hint)
		return err
	default:
		_, err := fmt.Fprintln(w, p)
		return err
	}
}

// window is the line with tabs made blanks, cut to what a terminal shows, and
// the marks to put below it.
func window(p Problem) (line, mark string) {
	const most = 120
	runes := []rune(strings.ReplaceAll(p.Source, "\t", " "))
	for i, r := range runes {
		if r < ' ' || r == 0x7f {
			runes[i] = '.' // a control character would move the marks, or the terminal
		}
	}
	col := min(p.Pos.Column-1, len(runes))
	width := max(1, min(p.Width, len(runes)-col))
	if len(runes) > most {
		from := max(0, min(col-20, len(runes)-most))
		runes = runes[from:min(len(runes), from+most)]
		col -= from
		width = max(1, min(width, len(runes)-col))
	}
	return string(runes), strings.Repeat(" ", col) + strings.Repeat("^", width)
}

// sortProblems puts problems in file order; those of flags come first.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
}

// tidy sorts problems, drops what is said twice, masks secrets, and cuts the
// list at MaxProblems, saying so.
func tidy(problems []Problem, file string, secrets []string) []Problem {
	sortProblems(problems)
	type id struct {
		file, message string
		pos           Pos
	}
	seen := map[id]bool{}
	var out []Problem
	for _, p := range problems {
		k := id{p.File, p.Message, p.Pos}
		if !seen[k] {
			seen[k] = true
			out = append(out, p.masked(secrets))
		}
	}
	if n := len(out) - MaxProblems; n > 0 {
		out = append(out[:MaxProblems], Problem{File: file, Message: fmt.Sprintf("%d more not shown", n), Hint: "mend these first"})
	}
	return out
}

// masked hides secrets in all that a problem shows. The source line keeps its
// length, so that the marks still stand below the right place.
func (p Problem) masked(secrets []string) Problem {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		p.Message, p.Hint = maskIn(p.Message, s, "***"), maskIn(p.Hint, s, "***")
		p.Source = maskIn(p.Source, s, strings.Repeat("*", utf8.RuneCountInString(s)))
	}
	return p
}

// maskIn hides a secret in a text. A very short one is hidden only where it
// stands in quotes, as the value of a key: it would tear up every word else.
func maskIn(text, secret, mask string) string {
	text = strings.ReplaceAll(text, `"`+secret+`"`, `"`+mask+`"`)
	text = strings.ReplaceAll(text, `'`+secret+`'`, `'`+mask+`'`)
	if len(secret) >= 4 {
		text = strings.ReplaceAll(text, secret, mask)
		if q := quote(secret); len(q) > 2 && q[1:len(q)-1] != secret {
			text = strings.ReplaceAll(text, q[1:len(q)-1], mask)
		}
	}
	return text
}
