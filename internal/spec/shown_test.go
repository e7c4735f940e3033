package spec

import (
	"slices"
	"testing"
)

// TestNamesHoldNoSecrets: names, tags and limits are in every report and key
// baselines, so variables that are named like secrets stay as they are written.
func TestNamesHoldNoSecrets(t *testing.T) {
	t.Parallel()
	const text = `
description = "d ${HOOK_TOKEN} ${REGION}"
[target]
url = "https://api.example.com"
[vars]
upload_token = "${UPLOAD}"
[[scenario]]
name = "s ${REGION}"
tags = { hook = "${HOOK_TOKEN}" }
  [[scenario.step]]
  request = "POST /hooks/${HOOK_TOKEN}?again=${HOOK_TOKEN}"
  headers = { X-Upload = "{{ upload_token }}" }
[gate]
thresholds = ["latency{step='POST /hooks/${HOOK_TOKEN}'}.p95 < 1s"]
`
	env := map[string]string{"HOOK_TOKEN": "hunter2hook", "REGION": "eu", "UPLOAD": "hunter2upload"}
	s, problems := Parse(Input{
		File: "a.toml", Text: []byte(text), Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Overrides: Overrides{Vars: map[string]string{"upload_token": "hunter2flag"}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	catalog := s.Catalog()
	for _, tt := range []struct{ got, want string }{
		{s.Description, "d ${HOOK_TOKEN} eu"},
		{catalog.Scenarios[0], "s eu"},
		{catalog.Steps[0].Name, "POST /hooks/${HOOK_TOKEN}"},
		{catalog.Steps[0].Tags["hook"], "${HOOK_TOKEN}"},
		{s.Scenarios[0].Steps[0].URL.Text(), "/hooks/hunter2hook?again=hunter2hook"},
		{s.Gate.Thresholds[0].Rule.Selector.Tags[0].Values[0], "POST /hooks/${HOOK_TOKEN}"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	if want := []string{"hunter2flag", "hunter2hook"}; !slices.Equal(s.SecretValues(), want) {
		t.Errorf("secrets %q, want %q", s.SecretValues(), want)
	}
}
