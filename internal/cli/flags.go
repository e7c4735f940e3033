package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/rule"
)

// measureFlags are shared by every command that measures.
type measureFlags struct {
	target, rate, duration   string
	users                    int
	vars                     []string
	scenario, profile        string
	seed                     int64
	shard                    string // of `run` alone
	json, html, junit, mdown string
	data                     dataFlags
	otlp                     string
	quiet                    bool
	baseline, baselineDir    string
	env                      string // label
	failOn                   string
	paired                   bool     // two targets are driven by turns
	pool                     []string // results of earlier attempts
	why                      bool
	allowExec                bool // commands and logs of [[observe]] are read

	set  *pflag.FlagSet
	desk *desk // where the run is watched and changed; nil: nowhere
}

func (m *measureFlags) add(fs *pflag.FlagSet) {
	m.addLoad(fs)
	m.addOutputs(fs)
	m.addEnvironment(fs)
	fs.StringVar(&m.baseline, "baseline", "", "`STORE` of the baselines: "+placeHelp+", file:PATH or none (default: dir, the folder of --baseline-dir)")
	addOTLP(fs, &m.otlp)
	fs.StringVar(&m.failOn, "fail-on", "", failOnHelp)
	m.addExec(fs)
}

// addLoad adds what stands over the spec's own target and load.
func (m *measureFlags) addLoad(fs *pflag.FlagSet) {
	m.set = fs
	fs.StringVar(&m.target, "target", "", "`URL` to drive instead of the spec's target.url")
	fs.IntVar(&m.users, "users", 0, "`N` users at work (closed model) instead of the spec's load")
	fs.StringVar(&m.rate, "rate", "", "arrivals, `R` such as 80/s (open model), instead of the spec's load")
	fs.StringVar(&m.duration, "duration", "", "length `D` of the load, such as 90s")
	fs.StringArrayVar(&m.vars, "var", nil, "set a variable of [vars]: `k=v` (may be given again)")
	fs.StringVar(&m.scenario, "scenario", "", "run only the scenario `NAME`")
	fs.StringVar(&m.profile, "profile", "", "use [profile.`NAME`]")
	fs.Int64Var(&m.seed, "seed", 0, "seed `N` of all that is drawn at random")
}

// addEnvironment adds where baselines lie, and for what environment.
func (m *measureFlags) addEnvironment(fs *pflag.FlagSet) {
	fs.StringVar(&m.baselineDir, "baseline-dir", "baselines", "folder `DIR` of the stored baselines")
	fs.StringVar(&m.env, "env-label", "default", "`LABEL` of this environment (staging, preview, runner class): part of the baseline's key")
}

func (m *measureFlags) addOutputs(fs *pflag.FlagSet) {
	fs.StringVar(&m.json, "json", "", "write the result to `FILE` (docs/result.md)")
	fs.StringVar(&m.html, "html", "", "write an HTML report to `FILE`")
	fs.StringVar(&m.junit, "junit", "", "write JUnit XML to `FILE`")
	fs.StringVar(&m.mdown, "markdown", "", "write the pull request comment to `FILE`")
	m.data.add(fs)
	fs.BoolVar(&m.why, "why", false, "show the reasoning behind what was found, step by step")
	fs.BoolVar(&m.quiet, "quiet", false, "no progress, and a verdict of one line")
}

// outputs are the files that were asked for, by flag.
func (m *measureFlags) outputs() []output {
	var all []output
	for _, o := range []output{{"--json", m.json}, {"--html", m.html}, {"--junit", m.junit}, {"--markdown", m.mdown}} {
		if o.file != "" {
			all = append(all, o)
		}
	}
	return append(all, m.data.outputs()...)
}

// An output is a file that a flag asked for.
type output struct{ flag, file string }

// parseVars reads k=v pairs.
func parseVars(pairs []string) (map[string]string, error) {
	vars := map[string]string{}
	for _, p := range pairs {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" {
			return nil, usageError{fmt.Errorf("--var %q: write --var name=value", p)}
		}
		vars[k] = v
	}
	return vars, nil
}

// didYouMean is ", did you mean X?" or "".
func didYouMean(word string, candidates []string) string {
	if near := rule.Nearest(word, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

var errNoSpec = errors.New("name a spec file, for example `loadline run loadline.toml`; `loadline init` writes one")

const failOnHelp = "outcomes that fail, `LIST`: regression,threshold,invalid unless it names one of them; may add inconclusive, no-baseline; none only reports"
