package baseline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/loadline-ci/loadline/internal/rule"
)

// AcceptedFile is where acceptances stand within a folder of baselines, and so in
// the diff of the pull request that needs them.
const AcceptedFile = "acceptances.json"

const (
	acceptedSchema = "loadline/acceptances/1"
	maxAccepted    = 1000
)

type acceptedDoc struct {
	Schema      string            `json:"schema"`
	Acceptances []rule.Acceptance `json:"acceptances"`
}

// DecodeAccepted reads a file of acceptances. Each must be one that could have been
// written as text too: a route, a metric, a bound that means something, a reason.
func DecodeAccepted(data []byte) ([]rule.Acceptance, error) {
	var doc acceptedDoc
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("damaged (%w): write it with loadline accept", err)
	}
	switch {
	case doc.Schema != acceptedSchema:
		return nil, fmt.Errorf("schema is %q, wanted %q: write it with loadline accept", doc.Schema, acceptedSchema)
	case len(doc.Acceptances) > maxAccepted:
		return nil, fmt.Errorf("has %d acceptances, and %d are the most: remove those that are spent", len(doc.Acceptances), maxAccepted)
	}
	for i := range doc.Acceptances {
		a := &doc.Acceptances[i]
		same, err := rule.ParseAcceptance(a.String())
		if err != nil {
			return nil, fmt.Errorf("acceptances[%d]: %w", i, err)
		}
		if same.Route != a.Route || same.Metric != a.Metric {
			return nil, fmt.Errorf("acceptances[%d]: the route %s cannot be told from its metric", i, rule.Quoted(a.Route))
		}
		if a.Base < 0 || a.Head < 0 {
			return nil, fmt.Errorf("acceptances[%d]: base and head must not be below 0", i)
		}
		a.Via, a.Reason = rule.ViaFile, same.Reason
	}
	return doc.Acceptances, nil
}

// EncodeAccepted writes acceptances, sorted and one a line, so that a diff shows
// what was added. Of several for one row of a spec the last stays.
func EncodeAccepted(all []rule.Acceptance) ([]byte, error) {
	var list []rule.Acceptance
	for _, a := range slices.Backward(all) {
		if !slices.ContainsFunc(list, func(b rule.Acceptance) bool { return compareAccepted(a, b) == 0 }) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, compareAccepted)
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n \"schema\": %q,\n \"acceptances\": [", acceptedSchema)
	for i := range list {
		line := new(bytes.Buffer)
		enc := json.NewEncoder(line)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(&list[i]); err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  ")
		b.Write(bytes.TrimSpace(line.Bytes()))
	}
	b.WriteString("\n ]\n}\n")
	return b.Bytes(), nil
}

func compareAccepted(a, b rule.Acceptance) int {
	return cmp.Or(cmp.Compare(a.Spec, b.Spec), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Metric, b.Metric))
}
