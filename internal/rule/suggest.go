package rule

import "strings"

// Nearest is the candidate that word was most likely meant to be, or "" when
// none is near: the edit distance (a swap of neighbours counts as one edit) may
// be a third of the word's length, at least one. Of two alike the first wins.
func Nearest(word string, candidates []string) string {
	best, limit := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		if d := distance(word, c, limit); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b, or limit when
// it is that much or more.
func distance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff >= limit || -diff >= limit {
		return limit
	}
	// Three rows of the usual table: before last, last, this one.
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		old, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], old[j-2]+1)
			}
		}
		rows = [3][]int{last, row, old}
	}
	return min(limit, rows[1][len(b)])
}

// didYouMean is the hint for an unknown word: the meaning of a word of another
// tool, or the nearest candidate, or the list of all.
func didYouMean(word string, foreign map[string]string, candidates []string) string {
	if ours, ok := foreign[word]; ok {
		return `did you mean "` + ours + `"?`
	}
	if near := Nearest(word, candidates); near != "" {
		return `did you mean "` + near + `"?`
	}
	return "use one of " + list(candidates)
}

// list joins words for an error: "a, b or c".
func list(words []string) string {
	last := len(words) - 1
	if last <= 0 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
