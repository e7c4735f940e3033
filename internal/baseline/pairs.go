package baseline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
)

// pairsRoot holds the memory of paired runs, beside the stored runs.
const pairsRoot = "v1-pairs"

const (
	pairsSchema = "loadline/pairs/1"
	mostPairs   = 1 << 20 // bytes of a file: fifty times what one holds
)

const (
	// PairsKept is how many steps of past comparisons are remembered for each metric:
	// so many tell how far two deployments of the same code differ.
	PairsKept = 60
	// pairsOfOne is how many steps of one comparison are among them: all steps of it
	// are of the same two deployments, of which there must be many.
	pairsOfOne = 3
)

// Pairs is what is remembered of the paired runs of one spec, profile and
// environment.
type Pairs struct {
	Calibrated bool                       // base was once compared with itself
	Past       map[string][]stat.Compared // by metric, oldest first
}

type pairsDoc struct {
	Schema      string                `json:"schema"`
	Spec        string                `json:"spec"`
	Profile     string                `json:"profile,omitempty"`
	Environment string                `json:"environment"` // its key
	Calibrated  bool                  `json:"calibrated"`
	Past        map[string][]pairsRow `json:"past"`
}

// A pairsRow is one comparison: ln(head / base) and its standard error.
type pairsRow struct {
	Y  float64 `json:"y"`
	SE float64 `json:"se"`
}

// Add remembers a further comparison: of its steps a few, that lie apart, and other
// ones than the last time.
func (p *Pairs) Add(more map[string][]stat.Compared) {
	if p.Past == nil {
		p.Past = map[string][]stat.Compared{}
	}
	for metric, found := range more {
		found = slices.DeleteFunc(slices.Clone(found), func(c stat.Compared) bool { return !usable(c) })
		past, n := p.Past[metric], min(len(found), pairsOfOne)
		first := 0
		if len(past) > 0 && n > 0 {
			first = int(math.Float64bits(past[len(past)-1].Y) % uint64(len(found))) // as good as drawn, and the same each time
		}
		for i := range n {
			past = append(past, found[(first+i*len(found)/n)%len(found)])
		}
		p.Past[metric] = latest(past)
	}
}

// usable says whether a comparison can be true: a ratio beyond a million is a
// damaged file, and so is an error below none.
func usable(c stat.Compared) bool {
	const most = 14
	return math.Abs(c.Y) <= most && c.SE >= 0 && c.SE <= most
}

func latest(all []stat.Compared) []stat.Compared { return all[max(0, len(all)-PairsKept):] }

func pairsFile(spec, profile string, e result.Environment) string {
	return path.Join(pairsRoot, folder(spec, profile, e)+".json")
}

// FindPairs reads what is remembered for a query. A store that remembers
// nothing yet is no error; a file that cannot be used is, and then Pairs is empty.
func FindPairs(store fs.FS, q Query) (Pairs, error) {
	name := pairsFile(q.Spec, q.Profile, q.Environment)
	data, err := fs.ReadFile(store, name)
	if errors.Is(err, fs.ErrNotExist) {
		return Pairs{}, nil
	}
	if err != nil {
		return Pairs{}, fmt.Errorf("reading %s: %w", name, err)
	}
	p, err := parsePairs(data, q)
	if err != nil {
		return Pairs{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return p, nil
}

func parsePairs(data []byte, q Query) (Pairs, error) {
	var doc pairsDoc
	if len(data) > mostPairs {
		return Pairs{}, fmt.Errorf("it has %d bytes, which none of loadline's has", len(data))
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return Pairs{}, err
	}
	switch {
	case doc.Schema != pairsSchema:
		return Pairs{}, fmt.Errorf("its schema is %q, this version reads %q", doc.Schema, pairsSchema)
	case doc.Spec != q.Spec || doc.Profile != q.Profile || doc.Environment != q.Environment.Key():
		return Pairs{}, errors.New("it is of another spec or machine than its name")
	}
	p := Pairs{Calibrated: doc.Calibrated}
	for metric, rows := range doc.Past {
		for _, r := range rows {
			p.Add(map[string][]stat.Compared{metric: {{Y: r.Y, SE: r.SE}}})
		}
	}
	return p, nil
}

// EncodePairs returns the path within a store, with slashes, and the file.
func EncodePairs(q Query, p Pairs) (name string, data []byte, err error) {
	doc := pairsDoc{
		Schema: pairsSchema, Spec: q.Spec, Profile: q.Profile, Environment: q.Environment.Key(),
		Calibrated: p.Calibrated, Past: map[string][]pairsRow{},
	}
	for _, metric := range slices.Sorted(maps.Keys(p.Past)) {
		for _, c := range latest(p.Past[metric]) {
			if usable(c) {
				doc.Past[metric] = append(doc.Past[metric], pairsRow{c.Y, c.SE})
			}
		}
	}
	data, err = json.MarshalIndent(&doc, "", " ")
	if err != nil {
		return "", nil, fmt.Errorf("writing past comparisons: %w", err)
	}
	return pairsFile(q.Spec, q.Profile, q.Environment), append(data, '\n'), nil
}

// Pairs reads what is remembered for a query: see FindPairs.
func (d Dir) Pairs(q Query) (Pairs, error) { return FindPairs(d.FS(), q) }

// PutPairs stores what is to be remembered. The file appears whole or not at all.
func (d Dir) PutPairs(q Query, p Pairs) error {
	name, data, err := EncodePairs(q, p)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(string(d), filepath.FromSlash(name)), data, (*os.File).Write); err != nil {
		return fmt.Errorf("storing past comparisons in %s: %w; what was stored before is untouched", d, err)
	}
	return nil
}

// AddPairs remembers a further comparison in a store of any kind. The one file of
// the query is replaced as a whole; where another job was faster, what it added is
// read first and kept.
func AddPairs(ctx context.Context, to Store, q Query, more map[string][]stat.Compared, calibrated bool) error {
	add := func() (Pairs, error) {
		files, err := to.Open(ctx)
		if err != nil {
			return Pairs{}, err
		}
		// A file that cannot be used was said when it was read; it is replaced.
		p, _ := FindPairs(files, q)
		p.Add(more)
		p.Calibrated = p.Calibrated || calibrated
		return p, nil
	}
	if dir, ok := to.(Dir); ok {
		p, err := add()
		if err != nil {
			return err
		}
		return dir.PutPairs(q, p)
	}
	return to.Edit(ctx, "comparison: "+q.Spec, func([]string) ([]Change, error) {
		p, err := add()
		if err != nil {
			return nil, err
		}
		name, data, err := EncodePairs(q, p)
		if err != nil {
			return nil, err
		}
		return []Change{{Path: name, Data: data}}, nil
	})
}
