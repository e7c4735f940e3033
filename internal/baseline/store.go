package baseline

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
)

// Keep is how many runs of each spec and machine a store usually keeps: Ring for
// the comparison, the rest for the trend.
const Keep = 200

// A Change puts a file into a store, or takes one out.
type Change struct {
	Path   string // with slashes, from the store's root
	Data   []byte
	Remove bool
}

// An Edit says what to change, given the paths that are there. A store with many
// writers asks it anew on every try, so what it derives from them is never stale.
// No change: nothing is written.
type Edit func(names []string) ([]Change, error)

// A Store is a tree of files that runs are kept in: a folder (Dir), a branch of
// any git repository (*Git), or what a caller makes of another place.
type Store interface {
	// Open shows the store as it is now. One that does not exist yet is empty.
	Open(ctx context.Context) (fs.FS, error)
	// Edit makes changes. A file that is there already is never written into.
	// message says why, where a store remembers such things.
	Edit(ctx context.Context, message string, edit Edit) error
}

// Put stores a run, prunes what is beyond the newest keep of each spec and
// machine in the same change, and returns the file's path within the store. The
// error wraps ErrUnfit when the run must not become a baseline.
func Put(ctx context.Context, to Store, s *result.Summary, keep int) (string, error) {
	name, data, err := Encode(s)
	if err != nil {
		return "", err
	}
	message := "baseline: " + s.Spec
	if s.Commit != "" {
		message += " at " + short(s.Commit)
	}
	return name, to.Edit(ctx, message, func(names []string) ([]Change, error) {
		var changes []Change
		if !slices.Contains(names, name) {
			changes = append(changes, Change{Path: name, Data: data})
			names = append(slices.Clone(names), name)
		}
		for _, old := range Surplus(names, keep) {
			if old == name {
				return nil, nil // older than all that is kept
			}
			changes = append(changes, Change{Path: old, Remove: true})
		}
		return changes, nil
	})
}

// Prune removes all but the newest keep runs of each spec and machine, and
// returns the files that went.
func Prune(ctx context.Context, from Store, keep int) ([]string, error) {
	var gone []string
	err := from.Edit(ctx, fmt.Sprintf("prune to %d runs of each spec and machine", keep), func(names []string) ([]Change, error) {
		gone = Surplus(names, keep)
		changes := make([]Change, len(gone))
		for i, name := range gone {
			changes[i] = Change{Path: name, Remove: true}
		}
		return changes, nil
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}
