package spec

import (
	"slices"
	"strings"
	"unicode"

	"github.com/loadline-ci/loadline/internal/rule"
)

// unknownKey says what was probably meant by a key that the table does not have:
// the same key spelt another way, a word of another tool, a key nearly alike, or
// a key of another table.
func unknownKey(n *node, sec *section) string {
	name := n.name
	names := sec.names()
	if n.kind == scalarNode && keyElsewhere(name) != "" {
		// `users = 5` at the top is not meant to be the table [user].
		names = slices.DeleteFunc(names, func(s string) bool { k := sec.key(s).kind; return k == tableKind || k == tablesKind || k == namedKind })
	}
	if near := spelling(name, names); near != "" {
		return didYouMean(near)
	}
	if hint := foreignKey(name, sec.name); hint != "" {
		return hint
	}
	if top := sectionOf("").key(name); top != nil && sec.name != "" && (top.kind == textKind || top.kind == integerKind) {
		return "`" + name + "` belongs above the first [table]"
	}
	if near := rule.Nearest(name, names); near != "" {
		return didYouMean(near)
	}
	for _, candidate := range []string{name, snake(name)} {
		if where := keyElsewhere(candidate); where != "" {
			return "`" + candidate + "` belongs " + where
		}
	}
	if names := sec.names(); len(names) <= 10 {
		return "its keys are " + strings.Join(names, ", ")
	}
	if sec.name == "" {
		return "`loadline explain` lists the keys"
	}
	return "`loadline explain " + sec.name + "` lists its keys"
}

func didYouMean(name string) string { return `did you mean "` + name + `"?` }

// spelling finds the key that is written otherwise in name: in camelCase, with
// dashes, in capitals, in the plural or singular.
func spelling(name string, names []string) string {
	s := snake(name)
	for _, form := range []string{s, s + "s", strings.TrimSuffix(s, "s"), strings.TrimSuffix(s, "es"), strings.ReplaceAll(s, "_", "")} {
		if form != name && slices.Contains(names, form) {
			return form
		}
	}
	return ""
}

// snake writes maxUsers, max-users and MAX_USERS as max_users.
func snake(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		switch {
		case r == '-' || r == ' ':
			b.WriteByte('_')
		case unicode.IsUpper(r) && lower:
			b.WriteByte('_')
			fallthrough
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		lower = unicode.IsLower(r)
	}
	return b.String()
}

// nearWord is the word that was meant by a value.
func nearWord(s string, words []string) string {
	if near := spelling(s, words); near != "" {
		return near
	}
	form := strings.ReplaceAll(snake(s), "_", "-")
	if form != s && slices.Contains(words, form) {
		return form
	}
	return rule.Nearest(s, words)
}

// keyElsewhere says which tables have a key of that name.
func keyElsewhere(name string) string {
	var where []string
	for i := range keyTable {
		sec := &keyTable[i]
		if sec.key(name) == nil || sec.name == "profile" {
			continue
		}
		switch {
		case sec.name == "":
			where = append(where, "above the first [table]")
			continue
		case strings.HasPrefix(sec.header, "["):
			where = append(where, sec.header)
		case sec.name == "stage":
			where = append(where, "a stage of [load]")
		case sec.name == "threshold":
			where = append(where, "a threshold of [gate]")
		}
	}
	if len(where) == 0 || len(where) > 3 {
		return ""
	}
	joined := strings.Join(where, " or ")
	if n := len(where); n > 2 {
		joined = strings.Join(where[:n-1], ", ") + " or " + where[n-1]
	}
	if strings.HasPrefix(joined, "above") {
		return joined
	}
	return "to " + joined
}

// foreignKey knows the words of k6, Locust, Artillery and others, by the table
// they were found in.
func foreignKey(name, sec string) string {
	if hint := foreignHere[sec+"."+name]; hint != "" {
		return hint
	}
	return foreign[name]
}

// foreignHere are words whose meaning depends on the table.
var foreignHere = map[string]string{
	"stage.target":      "a level is `users`, `rate` or `ramp_to`",
	"stage.arrivalRate": `write rate = "50/s"`,
	"stage.rampTo":      `did you mean "ramp_to"? It takes users, 50, or a rate, "50/s"`,
	"step.target":       "the target is [target] url",
	"step.url":          `write request = "GET /path"`,
	"step.path":         `write request = "GET /path"`,
	"step.method":       `write request = "GET /path"`,
	"step.data":         "a body is json, form, multipart, graphql, body or body_file",
	"step.payload":      "a body is json, form, multipart, graphql, body or body_file",
	"step.params":       `did you mean "query"?`,
	"step.auth":         "credentials for every request are [http.auth]; a step sets headers",
	"step.cookies":      "write headers = { Cookie = \"...\" }",
	"step.when":         `did you mean "if"?`,
	"step.count":        `did you mean "repeat"?`,
	"step.extract":      `did you mean "capture"?`,
	"step.status":       "write expect = 200",
	"load.target":       "the level is `users` or `rate`; the URL is [target] url",
	"load.ramp_up":      "write spawn_rate = \"10/s\", or stages with ramp_to",
	"target.host":       `write url = "https://..."`,
	"target.base_url":   `write url = "https://..."`,
	"target.hosts":      `did you mean "allow_hosts"?`,
	"target.headers":    "headers of every request are [http.headers]",
	"target.timeout":    "timeouts of requests are in [http]; that of [target.ready] is how long to wait",
	".steps":            "steps are [[scenario.step]]",
	".step":             "steps are [[scenario.step]]",
	".thresholds":       "`thresholds` belongs to [gate]",
	".url":              "write url below [target]",
	".target_url":       "write url below [target]",
	".env":              "constants are [vars]; the environment is `${NAME}`",
	".variables":        "constants are [vars]",
	".config":           "the sections of Artillery's config are [target], [http], [load] and [vars] here",
	".options":          "k6's options are [load] and [gate] here",
	".defaults":         "defaults of requests are in [http]",
	".stages":           "`stages` belongs to [load]",
	".headers":          "headers of every request are [http.headers]",
	".tests":            "write [[scenario]]",
	".ready":            "write [target.ready]",
	".compare":          "`compare` belongs to [gate]",
	".baseline":         "`baseline` belongs to [gate]",
	".think":            "`think` belongs to [user], [[scenario]] or [[scenario.step]]",
	".on_start":         "write [[user.on_start]] or [[scenario.on_start]]",
	".on_stop":          "write [[user.on_stop]]",
	".feed":             "rows are [data.NAME]",
	".feeds":            "rows are [data.NAME]",
	"scenario.on_stop":  "write [[user.on_stop]]",
	"scenario.exec":     "what a scenario does is [[scenario.step]]",
	"scenario.request":  "requests stand in [[scenario.step]]",
	"scenario.checks":   "`checks` belongs to [[scenario.step]]",
	"gate.limits":       `did you mean "thresholds"?`,
	"gate.fail_on":      "what turns the job red is an input of the action, not of the spec",
	"http.retries":      "requests are not repeated: a gate must see each failure",
	"step.retries":      "requests are not repeated: a gate must see each failure",
}

// foreign are words that mean the same wherever they stand.
var foreign = map[string]string{
	"vus":                   "users of [load] are what k6 calls VUs: `users = 50`",
	"arrivalRate":           "arrivals are `rate = \"50/s\"` in [load]",
	"arrivalCount":          "a number of iterations is `iterations` in [load], with users",
	"rampTo":                "ramps are `ramp_to` in a stage of [load]",
	"phases":                "phases are `stages` of [load]",
	"maxVusers":             "the most users of an open load is `max_users` in [load]",
	"maxVUs":                "the most users of an open load is `max_users` in [load]",
	"preAllocatedVUs":       "users are started as they are needed, up to `max_users` in [load]",
	"timeUnit":              "a rate says its time, `rate = \"300/m\"`",
	"startRate":             "a first stage with ramp_to starts from 0; hold a level with `rate`",
	"startVUs":              "a first stage with ramp_to starts from 0; hold a level with `users`",
	"executor":              "[load] takes its form from its keys: users, rate, stages or staircase",
	"payload":               "rows from a file are [data.NAME]",
	"processor":             "there is no code in a spec: use templates, checks and captures",
	"plugins":               "there are no plugins: see [metrics], [gate] and `expect`",
	"engines":               "requests are HTTP",
	"statusCode":            "an expected status is `expect = 200`",
	"hasProperty":           "write checks = [\"$.name exists\"]",
	"contentType":           "write checks = [\"header Content-Type contains json\"]",
	"equals":                "write checks = [\"$.name == value\"]",
	"matchesRegexp":         "write checks = ['body matches ...']",
	"wait_time":             "pauses are `think = \"1s..3s\"`",
	"between":               "pauses are `think = \"1s..3s\"`",
	"constant_pacing":       "write pace = \"1s\" in [user]",
	"constant_throughput":   "write pace = \"1s\" in [user]",
	"sleep":                 "pauses are `think = \"1s\"`",
	"pause":                 "pauses are `think = \"1s\"`",
	"delay":                 "pauses are `think = \"1s\"`",
	"run_time":              "how long is `duration` in [load]",
	"run-time":              "how long is `duration` in [load]",
	"hatch_rate":            "users started per second are `spawn_rate` in [load]",
	"host":                  "the target is [target] url",
	"baseUrl":               "the target is [target] url",
	"base_url":              "the target is [target] url",
	"rps":                   "arrivals are `rate = \"50/s\"` in [load]",
	"concurrency":           "users are `users = 50` in [load]",
	"connections":           "[load] has users; [http] connections is \"per-user\" or \"shared\"",
	"threads":               "users are `users = 50` in [load]",
	"flow":                  "what a scenario does is [[scenario.step]]",
	"tasks":                 "what users do is [[scenario]], with weight",
	"task":                  "what users do is [[scenario]], with weight",
	"loop":                  "write repeat = 3, or for_each = \"x in list\"",
	"ifTrue":                "write if = \"{{ name }} == 'value'\"",
	"extract":               "values are kept with `capture`",
	"captures":              "values are kept with `capture`",
	"assert":                "what must be true is `checks`",
	"assertions":            "what must be true is `checks`",
	"asserts":               "what must be true is `checks`",
	"tests":                 "what must be true is `checks`",
	"gracefulRampDown":      "going down, users always leave after their iteration",
	"insecureSkipTLSVerify": "write insecure = true below [http.tls]",
	"verify":                "write insecure = true below [http.tls] to trust any certificate",
	"followRedirect":        "write redirects = 5",
	"follow_redirects":      "write redirects = 5",
	"maxRedirects":          "write redirects = 5",
	"max_redirects":         "write redirects = 5",
	"discardResponseBodies": "bodies are always dropped beyond `body_limit` in [http]",
	"noConnectionReuse":     "write keep_alive = false in [http]",
	"userAgent":             "write user_agent in [http]",
	"ensure":                "limits are thresholds of [gate]",
	"environments":          "environments are [profile.NAME]",
	"catch_response":        "what must be true is `checks`",
	"http_req_duration":     "limits are strings: thresholds = [\"latency.p95 < 500ms\"]",
	"http_req_failed":       "limits are strings: thresholds = [\"failed < 1%\"]",
	"p95":                   "limits are strings: thresholds = [\"latency.p95 < 500ms\"]",
	"p99":                   "limits are strings: thresholds = [\"latency.p99 < 1s\"]",
	"fail_ratio":            "limits are strings: thresholds = [\"failed < 1%\"]",
	"include":               "there is no include: a spec is one file",
}
