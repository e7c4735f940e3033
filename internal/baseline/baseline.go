// Package baseline finds, reads and writes the runs that main left behind.
//
// A store is a tree of files, one for each run, named so that two runs never
// write the same file: a folder keeps it, and so may a branch or an archive.
// Reading therefore takes an fs.FS, and Encode hands out a path and bytes for
// whoever writes elsewhere; Dir is the store in a folder.
package baseline

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
)

// root holds everything of this layout, so that a later one may live beside it.
const root = "v1"

// Limits of a store. What the noise of a target is, thirty runs tell; older ones
// are kept in a branch for the trend.
const (
	// Ring is how many runs a comparison uses.
	Ring = 30
	// mostRead bounds how many files Find opens, should most not fit.
	mostRead = 200
)

// ErrUnfit is in the error of Encode for a run that must not become a baseline.
var ErrUnfit = errors.New("not stored as a baseline")

// Encode returns the path of a run within a store, with slashes, and its file.
// It refuses a run that is unfit: it would be compared with for weeks.
func Encode(s *result.Summary) (name string, data []byte, err error) {
	switch {
	case s.Unfit != "":
		return "", nil, fmt.Errorf("%w: %s", ErrUnfit, s.Unfit)
	case s.Fingerprint == "" || s.Started.IsZero():
		return "", nil, fmt.Errorf("%w: the run says neither what spec it is of nor when it began", ErrUnfit)
	}
	var b bytes.Buffer
	if err := s.Encode(&b); err != nil {
		return "", nil, fmt.Errorf("writing baseline: %w", err)
	}
	// The hash tells apart two jobs of one CI run that began in the same second.
	sum := sha256.Sum256(b.Bytes())
	run := strings.TrimPrefix(slug(s.Attempt)+"-"+hex.EncodeToString(sum[:3]), "-")
	file := stamp(s) + cmp.Or(short(slug(s.Commit)), "nocommit") + "-" + run + ".json"
	return path.Join(root, folder(s.Spec, s.Profile, s.Environment), file), b.Bytes(), nil
}

// nameTime is how the name of a run's file begins, so that names sort by time.
const nameTime = "20060102T150405Z"

func stamp(s *result.Summary) string { return s.Started.UTC().Format(nameTime) + "-" }

// folder is where the runs of one spec, profile and environment lie. A hash
// follows each readable part, which may not be unique.
func folder(spec, profile string, e result.Environment) string {
	return prefix(spec, profile) + environmentSlug(e) + "-" + hash(e.Key())
}

func prefix(spec, profile string) string {
	return cmp.Or(slug(spec+" "+profile), "spec") + "-" + hash(spec, profile) + "-"
}

func environmentSlug(e result.Environment) string {
	return cmp.Or(slug(fmt.Sprintf("%s %s %s %d", e.Label, e.OS, e.Arch, e.Cores)), "machine")
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:3])
}

func short(commit string) string { return commit[:min(len(commit), 7)] }

// slug keeps what is safe in a file name everywhere: small letters, digits,
// points and single hyphens, 40 at most, never a leading point.
func slug(s string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.' && b.Len() > 0:
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return strings.Trim(b.String(), "-.")
}
