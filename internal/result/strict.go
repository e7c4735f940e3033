package result

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
)

// Limits of ReadStrict. Each is well above what a spec of 500 steps comes to.
const (
	maxStrictText       = 1 << 10  // bytes of a name, a sentence, a map's key
	maxStrictHistogram  = 64 << 10 // bytes of one payload, in base64
	maxStrictHistograms = 4_000    // that Read unpacks; each may take a quarter of a MiB
	maxStrictSteps      = 1_000
	maxStrictRows       = 50_000 // of any other list: seconds, cells, rounds' steps
	maxStrictAgain      = 100    // further runs of the same commit
)

// ReadStrict is Read for a result that somebody else wrote, who may mean harm: a
// key that this version does not know, a text or a list that is longer than any
// run makes it, a histogram that would take more memory than ours do, and
// anything after the end are errors. JSON has no numbers that are not finite, and
// one beyond float64 is an error of Read's. Verdict and Thresholds are left out:
// whoever reads a stranger's result judges it anew.
func ReadStrict(data []byte) (*File, error) {
	if err := CheckSchema(data, Schema); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var doc fileDoc
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("not as this version of loadline writes it (%s): use the same version in both workflows", cutText(err.Error()))
	}
	if len(doc.Again) > maxStrictAgain {
		return nil, fmt.Errorf("it has %d further runs, and %d are the most that are taken from elsewhere", len(doc.Again), maxStrictAgain)
	}
	again, err := readAgain(doc.Again)
	if err != nil {
		return nil, fmt.Errorf("damaged (%s)", cutText(err.Error()))
	}
	doc.Verdict, doc.Thresholds, doc.Again = nil, nil, nil
	l := limits{}
	if err := errors.Join(l.walk(reflect.ValueOf(doc), "result"), l.walk(reflect.ValueOf(again), "again")); err != nil {
		return nil, err
	}
	if len(doc.Steps) > maxStrictSteps {
		return nil, fmt.Errorf("it has %d steps, and %d are the most that are taken from elsewhere", len(doc.Steps), maxStrictSteps)
	}
	run, err := doc.decode()
	if err != nil {
		return nil, fmt.Errorf("damaged (%s)", cutText(err.Error()))
	}
	return &File{Run: run, Again: again}, nil
}

// limits looks at every value of a document.
type limits struct{ histograms int }

var payloadType = reflect.TypeFor[payload]()

func (l *limits) walk(v reflect.Value, at string) error {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return nil
		}
		for i := range v.NumField() {
			if err := l.walk(v.Field(i), at+"."+v.Type().Field(i).Name); err != nil {
				return err
			}
		}
	case reflect.Slice:
		if v.Len() > maxStrictRows {
			return fmt.Errorf("%s has %d entries, and %d are the most that are taken from elsewhere", at, v.Len(), maxStrictRows)
		}
		for i := range v.Len() {
			if err := l.walk(v.Index(i), at); err != nil {
				return err
			}
		}
	case reflect.Map:
		if v.Len() > maxStrictSteps {
			return fmt.Errorf("%s has %d entries, and %d are the most that are taken from elsewhere", at, v.Len(), maxStrictSteps)
		}
		for k, x := range v.Seq2() {
			if err := errors.Join(l.walk(k, at), l.walk(x, at)); err != nil {
				return err
			}
		}
	case reflect.String:
		return l.text(v, at)
	default: // numbers and booleans: as large as they can be
	}
	return nil
}

func (l *limits) text(v reflect.Value, at string) error {
	s := v.String()
	if v.Type() != payloadType && !isRoundPayload(at) {
		if len(s) > maxStrictText {
			return fmt.Errorf("%s has a text of %d bytes, and %d are the most that are taken from elsewhere", at, len(s), maxStrictText)
		}
		return nil
	}
	if s == "" {
		return nil
	}
	if v.Type() == payloadType {
		l.histograms++
	}
	switch {
	case l.histograms > maxStrictHistograms:
		return fmt.Errorf("it has more than %d histograms", maxStrictHistograms)
	case len(s) > maxStrictHistogram:
		return fmt.Errorf("%s has a histogram of %d bytes, and %d are the most that are taken from elsewhere", at, len(s), maxStrictHistogram)
	}
	if err := checkGeometry(s); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

// isRoundPayload says whether a text is a round's histogram, which stays packed
// until it is summed up.
func isRoundPayload(at string) bool { return at == "result.Rounds.Steps.HDR" }

// checkGeometry reads the head of a histogram, which says how much memory the
// rest will take: HdrHistogram V2, eight bytes of cookie and length, then zlib, in
// which 40 bytes of head come first.
// https://github.com/HdrHistogram/HdrHistogram/blob/master/src/main/java/org/HdrHistogram/AbstractHistogram.java
func checkGeometry(text string) error {
	odd := errors.New("a histogram that this format never writes")
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(packed) < 8 {
		return odd
	}
	z, err := zlib.NewReader(bytes.NewReader(packed[8:]))
	if err != nil {
		return odd
	}
	head := make([]byte, 40)
	if _, err := io.ReadFull(z, head); err != nil {
		return odd
	}
	digits := int32(binary.BigEndian.Uint32(head[12:]))
	lowest, highest := int64(binary.BigEndian.Uint64(head[16:])), int64(binary.BigEndian.Uint64(head[24:]))
	if digits < 1 || digits > Digits || lowest < 1 || highest > math.MaxInt32*1000 {
		return odd
	}
	return nil
}

// cutText keeps an error that quotes a stranger short.
func cutText(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}
