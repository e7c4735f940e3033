package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
)

// What loadline writes, it takes from elsewhere too.
func TestReadStrictTakesOurs(t *testing.T) {
	t.Parallel()
	data := write(t, fullRun(t))
	got, err := ReadStrict(data)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(write(t, want.Run)), string(write(t, got.Run))); diff != "" {
		t.Errorf("- Read + ReadStrict\n%s", diff)
	}
	if got.Verdict != nil || got.Thresholds != nil {
		t.Error("a stranger's verdict was read")
	}
}

func TestReadStrictRefuses(t *testing.T) {
	t.Parallel()
	wide, err := hdr.New(1, 1<<62, 5).Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 10<<20)
	cells := func(n int) []any {
		var all []any
		for range n {
			all = append(all, map[string]any{"step": 0, "latency_hdr": string(roundPayload(t, 5))})
		}
		return all
	}
	tests := []struct {
		name   string
		change func(doc map[string]any)
		want   string
	}{
		{"another schema", func(d map[string]any) { d["schema"] = "loadline/summary/1" }, `schema is "loadline/summary/1"`},
		{"an unknown key", func(d map[string]any) { d["markdown"] = "<script>" }, `unknown field "markdown"`},
		{"an unknown key within", func(d map[string]any) { d["run"].(map[string]any)["pull_request"] = 7 }, `unknown field "pull_request"`},
		{"a number that is a text", func(d map[string]any) { d["run"].(map[string]any)["seed"] = "7" }, "not as this version"},
		{"a number beyond all bounds", func(d map[string]any) { d["run"].(map[string]any)["duration_s"] = json.Number("1e999") }, "1e999"},
		{"a name of 10 MB", func(d map[string]any) { d["run"].(map[string]any)["spec"] = long }, "a text of 10485760 bytes"},
		{"a step's name of 10 MB", func(d map[string]any) { d["steps"].([]any)[0].(map[string]any)["name"] = long }, "result.Steps.Name has a text of 10485760 bytes"},
		{"a key of 10 MB", func(d map[string]any) { d["run"].(map[string]any)["parts"] = map[string]any{long: "x"} }, "a text of 10485760 bytes"},
		{"a kind of error of 10 MB", func(d map[string]any) { d["steps"].([]any)[0].(map[string]any)["errors"] = map[string]any{long: 1} }, "a text of 10485760 bytes"},
		{"an error of 10 MB", func(d map[string]any) { d["unknown"+long] = 1 }, "not as this version"},
		{"many entries", func(d map[string]any) { d["flows"] = make([]struct{}, maxStrictRows+1) }, "50001 entries"},
		{"many steps", func(d map[string]any) { d["steps"] = make([]struct{}, maxStrictSteps+1) }, "1001 steps"},
		{"many histograms", func(d map[string]any) { d["cells"] = cells(maxStrictHistograms + 1) }, "more than 4000 histograms"},
		{"a histogram that takes much", func(d map[string]any) { d["iteration_hdr"] = string(wide) }, "never writes"},
		{"a round's histogram that takes much", func(d map[string]any) {
			d["rounds"].([]any)[0].(map[string]any)["steps"].([]any)[0].(map[string]any)["latency_hdr"] = string(wide)
		}, "never writes"},
		{"a histogram that is none", func(d map[string]any) { d["iteration_hdr"] = "AAAA" }, "never writes"},
		{"a step that is not there", func(d map[string]any) { d["cells"].([]any)[0].(map[string]any)["step"] = 99 }, "out of range"},
	}
	for _, tt := range tests {
		dec := json.NewDecoder(bytes.NewReader(write(t, fullRun(t))))
		dec.UseNumber()
		var doc map[string]any
		if err := dec.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		tt.change(doc)
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ReadStrict(data)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.300v, want %q", tt.name, err, tt.want)
			continue
		}
		if len(err.Error()) > 500 {
			t.Errorf("%s: a message of %d bytes", tt.name, len(err.Error()))
		}
	}
	for name, data := range map[string][]byte{"nothing": nil, "cut off": write(t, fullRun(t))[:200], "a list": []byte("[]"), "HTML": []byte("<html>")} {
		if _, err := ReadStrict(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What ReadStrict lets pass can be summed up without trouble.
func FuzzReadStrict(f *testing.F) {
	f.Add(write(f, fullRun(f)))
	f.Add([]byte(`{"schema":"loadline/result/1","cells":[{"latency_hdr":"HISTFAAAACJ42pNpmSzMwMDAxQABTBDKT4GBgdnNYMcCBvsPEBEWAFHsAhM="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadStrict(data)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			return
		}
		_, _ = Summarize(file.Run) // an error is an answer
		_ = fmt.Sprint(file.Run.Total().Requests)
	})
}
