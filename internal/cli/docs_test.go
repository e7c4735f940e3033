package cli

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite docs/cli.md")

const cliPage = "../../docs/cli.md"

// TestCLIPage holds docs/cli.md to the commands and flags there are.
func TestCLIPage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(cliIntro)
	for _, c := range commands() {
		var text bytes.Buffer
		fs := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
		fs.SortFlags = false
		c.flags(fs)
		usage(&text, &c, fs)
		b.WriteString("\n## " + c.name + "\n\n```\n" + text.String() + "```\n")
	}
	if *update {
		if err := os.WriteFile(cliPage, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(cliPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Errorf("docs/cli.md fell behind; run `go test ./internal/cli -update` (-have +want):\n%s", diff)
	}
}

const cliIntro = `# The command line

This page is written from the code (` + "`go test ./internal/cli -update`" + `). Standard output is the answer; everything else goes to standard error.

## Exit statuses

| Status | Means |
|--:|:--|
| 0 | pass, or an accepted regression; also inconclusive and no baseline, unless ` + "`--fail-on`" + ` names them |
| 1 | a regression, or a limit broken |
| 2 | usage or spec error: nothing was sent |
| 3 | the run is invalid: it says nothing about the target (not there, wrong from the start, the generator was the bottleneck) |
| 4 | inconclusive, only with ` + "`--fail-on inconclusive`" + ` |
| 5 | no baseline, only with ` + "`--fail-on no-baseline`" + ` |
| 130 | interrupted: what was measured is written |
`

func TestEveryCommandHasAnExampleThatIsItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range commands() {
		if c.summary == "" || !strings.Contains(c.example, "loadline "+c.name) {
			t.Errorf("%s: summary %q, example %q", c.name, c.summary, c.example)
		}
	}
}
