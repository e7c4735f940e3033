package baseline

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// A Query says which runs may be compared with a run.
type Query struct {
	Spec, Profile string
	Fingerprint   string
	Parts         map[string]string // to say what changed when the fingerprint did
	Environment   result.Environment
	// Commits, when not nil, are the only ones whose runs may be compared with:
	// those of the main branch up to where a pull request left it.
	Commits []string
	// Weekdays narrows the runs to those that began on the same day of the week as
	// Started, in UTC, once sameDay of them are stored: what a target does beside
	// the load often follows the week.
	Weekdays bool
	Started  time.Time
	Max      int // most runs to return; 0: Ring
}

// sameDay is how many runs of one weekday are enough to be compared with.
const sameDay = 3

// QueryFor asks for the runs that may be compared with s.
func QueryFor(s *result.Summary) Query {
	return Query{
		Spec: s.Spec, Profile: s.Profile, Fingerprint: s.Fingerprint, Parts: s.Parts, Environment: s.Environment,
		Started: s.Started,
	}
}

// A Record is one stored run.
type Record struct {
	File string // within the store
	*result.Summary
}

// Found is what a store holds for a Query.
type Found struct {
	Records []Record  // newest first
	Weekday string    // "Monday": only runs of that day are among them; "" for all
	Skipped []Skipped // files in the way that could not be used
	Miss    *Miss     // why there is no record; nil when there is
}

// Summaries returns the stored runs, newest first.
func (f *Found) Summaries() []*result.Summary {
	all := make([]*result.Summary, len(f.Records))
	for i, r := range f.Records {
		all[i] = r.Summary
	}
	return all
}

// Skipped is a stored file that could not be used.
type Skipped struct {
	File, Reason string
	Err          error // of reading it, as result.ErrNewer; nil: it was read, and does not fit
}

// A Miss says why nothing stored may be compared with.
type Miss struct {
	Code    string // "no-baseline", "spec-changed", "environment", "unreadable"
	Message string // one sentence, without a final stop
	Remedy  string
}

const seed = "let a run on the main branch store one, or store this one: loadline run SPEC --json main.json, then loadline baseline set main.json"

// Find returns the newest runs of a store that may be compared with, up to
// q.Max. Files that cannot be read are skipped and named. A store that does not
// exist yet is empty; an error means that it could not be listed.
func Find(store fs.FS, q Query) (*Found, error) {
	if q.Max <= 0 {
		q.Max = Ring
	}
	found, err := search(store, &q)
	if err == nil && q.Weekdays && len(found.Records) < sameDay {
		q.Weekdays = false
		return search(store, &q)
	}
	return found, err
}

func search(store fs.FS, q *Query) (*Found, error) {
	found := &Found{}
	own := path.Join(root, folder(q.Spec, q.Profile, q.Environment))
	names, err := newest(store, own)
	if err != nil {
		return nil, err
	}
	if q.Weekdays {
		names = q.ofDay(names)
		found.Weekday = q.Started.UTC().Weekday().String()
	}
	var other *result.Summary // newest of another fingerprint
	later := 0                // runs of commits that are not asked for
	for _, name := range names[:min(len(names), mostRead)] {
		if len(found.Records) == q.Max {
			break
		}
		if !q.asksFor(name) {
			later++
			continue
		}
		s, err := readFile(store, name)
		switch {
		case err != nil:
			found.skip(Skipped{name, err.Error(), err})
		case s.Spec != q.Spec || s.Profile != q.Profile || s.Environment.Key() != q.Environment.Key():
			found.skip(Skipped{File: name, Reason: "is of another spec or machine than its folder: it was moved there by hand"})
		case s.Unfit != "":
			found.skip(Skipped{File: name, Reason: "is no fit baseline: " + s.Unfit})
		case s.Fingerprint != q.Fingerprint:
			if other == nil {
				other = s
			}
		default:
			found.Records = append(found.Records, Record{name, s})
		}
	}
	// A name tells the second, what is within it tells the rest.
	slices.SortStableFunc(found.Records, func(a, b Record) int { return b.Started.Compare(a.Started) })
	if len(found.Records) == 0 {
		found.Miss, err = miss(store, q, other, found.Skipped)
		if later > 0 && other == nil && err == nil {
			found.Miss = &Miss{
				"later-commits",
				fmt.Sprintf("all %d stored runs are of commits that this branch does not have", later),
				"merge the main branch into it, or rebase it, then run again",
			}
		}
	}
	return found, err
}

// ofDay leaves those files, by their names, that began on the query's day of the
// week.
func (q *Query) ofDay(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		stamp, _, _ := strings.Cut(path.Base(name), "-")
		began, err := time.Parse(nameTime, stamp)
		return err != nil || began.Weekday() != q.Started.UTC().Weekday()
	})
}

// asksFor tells by its name whether a stored run is of a commit that was asked
// for, without reading it.
func (q *Query) asksFor(name string) bool {
	if q.Commits == nil {
		return true
	}
	parts := strings.Split(path.Base(name), "-")
	return len(parts) > 1 && slices.ContainsFunc(q.Commits, func(c string) bool { return short(c) == parts[1] })
}

func (f *Found) skip(s Skipped) { f.Skipped = append(f.Skipped, s) }

// newest lists the runs in a folder, newest first: their names begin with the
// time. A folder that does not exist is empty.
func newest(store fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(store, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing baselines: %w", err)
	}
	var names []string
	for _, e := range slices.Backward(entries) {
		if !e.IsDir() && isRun(e.Name()) {
			names = append(names, path.Join(dir, e.Name()))
		}
	}
	return names, nil
}

// isRun tells the file of a run from others that may lie beside it.
func isRun(name string) bool {
	return strings.HasSuffix(name, ".json") && !strings.HasPrefix(name, ".")
}

func readFile(store fs.FS, name string) (*result.Summary, error) {
	f, err := store.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading baseline: %w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	return result.ReadSummary(name, f)
}

// miss says why there is nothing to compare with: first what is nearest.
func miss(store fs.FS, q *Query, other *result.Summary, skipped []Skipped) (*Miss, error) {
	if other != nil {
		return &Miss{
			"spec-changed",
			fmt.Sprintf("the spec changed since the stored runs (%s), so their numbers are of another load", changed(q.Parts, other.Parts)),
			"merge it: the next run on the main branch starts a new baseline",
		}, nil
	}
	if len(skipped) > 0 {
		remedy := "remove the damaged files, then let a run on the main branch store a new baseline"
		if errors.Is(skipped[0].Err, result.ErrNewer) {
			remedy = "use the loadline that main uses" // others can read them
		}
		return &Miss{
			"unreadable",
			fmt.Sprintf("none of the stored runs could be used (%d skipped, the newest because it %s)", len(skipped), reason(skipped[0])), remedy,
		}, nil
	}
	elsewhere, err := elsewhere(store, q)
	if err != nil || elsewhere != nil {
		return elsewhere, err
	}
	return &Miss{"no-baseline", "no run of this spec is stored yet", seed}, nil
}

func reason(s Skipped) string {
	if s.Err == nil {
		return s.Reason
	}
	return "could not be read: " + s.Reason
}

// elsewhere looks for runs of the same spec on other machines.
func elsewhere(store fs.FS, q *Query) (*Miss, error) {
	dirs, err := fs.ReadDir(store, root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing baselines: %w", err)
	}
	var nearest *result.Summary
	runs := 0
	for _, d := range dirs {
		if !d.IsDir() || !strings.HasPrefix(d.Name(), prefix(q.Spec, q.Profile)) {
			continue
		}
		names, err := newest(store, path.Join(root, d.Name()))
		if err != nil {
			return nil, err
		}
		runs += len(names)
		for _, name := range names[:min(len(names), 3)] {
			if s, err := readFile(store, name); err == nil && (nearest == nil || s.Started.After(nearest.Started)) {
				nearest = s
			}
		}
	}
	if nearest == nil {
		return nil, nil
	}
	return &Miss{
		"environment",
		fmt.Sprintf("the %d stored runs were measured elsewhere (%s), and times of different machines cannot be compared", runs, differences(nearest.Environment, q.Environment)),
		"run the main branch on this kind of machine, or compare base and head in one run with loadline ab",
	}, nil
}

// changed names the sections of the spec whose fingerprint differs.
func changed(now, then map[string]string) string {
	var names []string
	for name := range now {
		if now[name] != then[name] {
			names = append(names, name)
		}
	}
	for name := range maps.Keys(then) {
		if _, ok := now[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "in a part that older runs do not name"
	}
	return strings.Join(names, ", ")
}

// differences says in which parts of their key two environments differ.
func differences(then, now result.Environment) string {
	var parts []string
	add := func(what, was, is string) {
		if was != is {
			parts = append(parts, fmt.Sprintf("%s %q, now %q", what, was, is))
		}
	}
	add("environment", then.Label, now.Label)
	add("system", then.OS+"/"+then.Arch, now.OS+"/"+now.Arch)
	add("CPU", then.CPU, now.CPU)
	add("cores", fmt.Sprint(then.Cores), fmt.Sprint(now.Cores))
	return strings.Join(parts, "; ")
}
