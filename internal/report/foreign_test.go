package report

import (
	"net/url"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// nasty are strings that a hostile spec, target or artifact could hold.
var nasty = []string{
	"x", // the one that is not
	"a | b || c \\| d |",
	"``` \n```mermaid\ngraph TD",
	"`code` ``more`` \\`",
	"<script>alert(1)</script><img src=x onerror=alert(1)>",
	"</code></details></table><h1>hi</h1>",
	"<!-- hidden --> --> <!--",
	"@everyone @loadline-ci/all a@b.example",
	"#1 GH-1 owner/repo#2 0123456789abcdef0123456789abcdef01234567",
	"[click](javascript:alert(1)) ![i](https://evil.example/x.png) <https://evil.example>",
	"https://evil.example/ www.evil.example ftp://evil.example",
	"line\n# heading\n\n- item\n1. item\n> quote\n---\n===\n    code\n\tcode",
	"a\r\nb\u2028c\u2029d\u0085e\vf",
	"::set-output name=x::y\n::error::boo\n::stop-commands::x",
	"\x1b[31mred\x1b[0m\x1b]8;;https://evil.example\x07link\x1b]8;;\x07\x1b[2J\x9b31m",
	"\u202egnp.exe\u202c \u2066x\u2069 \u200b\u200e\u061c\ufeff",
	"\x00\x01\x7f\xff\xfe\xc3\x28",
	"**bold** _it_ ~~no~~ $x$ $$y$$ :tada: &amp; &#64; &lt;b&gt; [^1] {{ x }} %% %%{init: {}}%%",
	"| --- | --- |\n| a | b |",
	"1) one", "- dash", "+ plus", "= equal", "2.", "===", "---", "***", "~~~",
	"Z̷̡̢̛̖̗̘a̴̵̶̷̸lgo", "日本語のステップ", "مرحبا بالعالم", "שלום", "👩‍👩‍👧‍👦 family",
	"]]> <![CDATA[ x ]]>", `"quoted" 'single' &quot;`,
	strings.Repeat("A", 10_000), strings.Repeat("`|<@", 3000), strings.Repeat("\x1b]", 5000), strings.Repeat("\u0301", 9000),
	"", " ", "\\", "`", "|", "<", "@", "#",
}

// nastyVerdict has s everywhere where a foreign string can stand.
func nastyVerdict(s string) *verdict.Verdict {
	return &verdict.Verdict{
		Outcome: verdict.Regression,
		Reasons: []verdict.Reason{{Code: s, Message: s, Remedy: s}, {Code: "b", Message: s + "x", Remedy: "do " + s}},
		Warnings: []verdict.Reason{
			{Code: s, Message: s, Remedy: s, Line: 3},
		},
		Findings: []verdict.Finding{{
			Scenario: s, Step: s, Metric: s, Base: 1000, Head: 2000, ChangePercent: 100, LowPercent: 90, HighPercent: 110, LimitPercent: 10,
			NoisePercent: 3, Rule: s, Call: verdict.Slower, Why: s, Line: 4,
		}},
		Limits: []verdict.LimitResult{{Limit: s, Value: 3, Shown: s, Line: 5}},
		Base:   &verdict.Base{Runs: 3, Commit: s, Started: s},
	}
}

// nastyPage is a page with s everywhere.
func nastyPage(s string) *Page {
	run := sampleRun(shape{steps: 2, seconds: 10, open: true, failing: 0.1})
	run.Tool, run.Spec, run.File, run.Profile, run.Commit, run.Target = s, s, s, s, s, s
	run.Stopped, run.Environment = s, result.Environment{OS: s, Arch: s, CPU: s, Label: s, Image: s, Kernel: s}
	run.Catalog.Steps[0].Name, run.Catalog.Steps[0].Scenario, run.Catalog.Steps[0].Method = s, s, s
	run.Catalog.Scenarios = []string{s}
	for i := range run.Catalog.Stages {
		run.Catalog.Stages[i].Name = s
	}
	for i := range run.Catalog.Checks {
		run.Catalog.Checks[i].Name = s
	}
	for i := range run.Cells {
		if run.Cells[i].Key.Error != "" {
			run.Cells[i].Key.Error = s + " "
		}
	}
	run.Observed = []result.Observed{
		{Role: s, Arm: s, Source: s, Unit: unit.Base(s), Limit: 3, Readings: []result.Reading{{At: 20 * time.Second, Value: 2}}, Missed: 1, Fault: s},
		{Role: s, Source: s, Unit: unit.Base(s), Missed: 1, Fault: s},
	}
	told := metric(s, unit.BasePlain, 4, 1, 3, 3)
	told.Source, told.Missed, told.Fault = s, 1, s
	run.Observed = []result.Observed{told, {Role: s + "!", Arm: s, Source: s, Missed: 2, Fault: s}}
	c := Context{
		Repo: s, PullRequest: 1, BaseSHA: s, HeadSHA: s,
		RunURL: "https://ci.example/" + url.PathEscape(s[:min(len(s), 100)]), ReportURL: "javascript:alert(1)//" + s, HelpURL: "https://ci.example/?" + url.QueryEscape(s[:min(len(s), 100)]),
		SpecPath: s, Environment: s, Profile: s, Version: s, Reproduce: s, Accept: []string{s, s}, Next: []string{"also " + s},
	}
	return New(nastyVerdict(s), run, c, []Trend{{Scenario: s, Step: s, Metric: s, Points: []Point{{1, s, true, s}, {2, s, false, ""}, {3, s, false, ""}}}})
}
