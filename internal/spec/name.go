package spec

import (
	"path"
	"strings"
)

// maxNameLength is the longest name of a spec, in bytes.
const maxNameLength = 80

// ValidName says whether a spec may have the name: 1 to 80 letters, digits, blanks
// and . _ / - that make a path, as it names a folder of baselines.
func ValidName(name string) bool {
	return name != "" && len(name) <= maxNameLength && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, func(r rune) bool { return !nameRune(r) }) && path.Clean("/"+name) == "/"+name
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" ._/-", r)
}
