package spec

// Ranges that several keys share.
const (
	day       = 24 * 60 * 60
	minutes10 = 10 * 60
	maxUsers  = 100_000
	maxRate   = 1_000_000 // per second
)

// keyTable is every key that a spec may have: one row each.
var keyTable = []section{
	{
		name: "", header: "Top level", help: "These keys stand above the first `[table]`.",
		keys: []key{
			{name: "version", kind: integerKind, def: "1", from: 1, to: 1, help: "Version of the format."},
			{name: "name", kind: textKind, help: "Title, and part of the key of the baseline: 1-80 characters of `A-Z a-z 0-9 . _ / -` and blanks. Without it, the name of the file."},
			{name: "description", kind: textKind, help: "Shown in reports."},
			{name: "target", kind: tableKind, of: "target", help: "What is measured."},
			{name: "vars", kind: scalarsKind, help: "Constants for templates; `--var k=v` sets one for a run."},
			{name: "secrets", kind: tagsKind, help: "The same, but masked in every output and left out of the fingerprint. Take them from the environment: `password = \"${TEST_PASSWORD}\"`."},
			{name: "metrics", kind: typesKind, words: []string{"rate", "counter", "trend", "gauge"}, help: "Metrics of your own, fed by `record`."},
			{name: "http", kind: tableKind, of: "http", help: "How requests are sent."},
			{name: "load", kind: tableKind, of: "load", help: "How much, and for how long. Without it: one user, one iteration."},
			{name: "user", kind: tableKind, of: "user", help: "What every user does beside the scenarios."},
			{name: "setup", kind: tablesKind, of: "step", help: "Steps sent once per run before the load, not measured. What they capture is known everywhere. If one fails, the run ends as \"not ready\"."},
			{name: "teardown", kind: tablesKind, of: "step", help: "Steps sent once per run after the load, also after an abort."},
			{name: "scenario", kind: tablesKind, of: "scenario", need: true, help: "What users do; at least one."},
			{name: "data", kind: namedKind, of: "data", help: "Rows that users draw from, as `{{ NAME.column }}`."},
			{name: "gate", kind: tableKind, of: "gate", help: "Limits, and what a change may cost."},
			{name: "observe", kind: tablesKind, of: "observe", help: "The target's own numbers, read while the load runs."},
			{name: "diagnose", kind: tableKind, of: "diagnose", help: "What the run is searched for. Checked, but not yet acted on."},
			{name: "profile", kind: namedKind, of: "profile", help: "Other values for another question; chosen with `--profile NAME`."},
		},
	},
	{
		name: "target", header: "[target]", help: "What is measured.",
		keys: []key{
			{name: "url", kind: urlKind, need: true, help: "http or https, may have a path prefix, no query. `--target URL` says it too."},
			{name: "allow_hosts", kind: textsKind, help: "Other hosts, `host` or `host:port`, that requests and redirects may reach."},
			{name: "ready", kind: tableKind, of: "ready", help: "A request that must be answered as expected before anything else is sent. Without it, one connection must succeed."},
		},
	},
	{
		name: "ready", header: "[target.ready]", help: "What is waited for before `[[setup]]`. A check on the served commit stops tests of the previous deployment.",
		keys: []key{
			{name: "request", kind: requestKind, need: true, help: "As in a step."},
			{name: "headers", kind: pairsKind, help: "As in a step."},
			{name: "expect", kind: expectKind, def: `"2xx"`, help: "As in a step."},
			{name: "checks", kind: checksKind, of: "check", help: "As in a step."},
			{name: "timeout", kind: durationKind, def: "2m", from: 0.001, to: day, help: "How long to wait; after that the run is invalid."},
			{name: "every", kind: durationKind, def: "2s", from: 0.01, to: minutes10, help: "Time between two tries."},
			{name: "consecutive", kind: integerKind, def: "1", from: 1, to: 1000, help: "So many good answers in a row are needed."},
		},
	},
	{
		name: "http", header: "[http]", help: "How requests are sent.",
		keys: []key{
			{name: "version", kind: wordKind, def: "auto", words: []string{"auto", "1.1", "2", "h2c"}, help: "What was really used is recorded."},
			{name: "timeout", kind: durationKind, def: "30s", from: 0.001, to: minutes10, help: "For a whole request. A request that takes longer failed, with `error=timeout`."},
			{name: "connect_timeout", kind: durationKind, def: "10s", from: 0.001, to: minutes10, help: "For dialling and TLS."},
			{name: "redirects", kind: integerKind, def: "0", from: 0, to: 20, help: "So many are followed. None by default, so that a redirect to a login page cannot pass for a fast answer. Latency covers the chain, and credentials stay on the first host."},
			{name: "keep_alive", kind: booleanKind, def: "true", help: "Use a connection for more than one request."},
			{name: "connections", kind: wordKind, def: "per-user", words: []string{"per-user", "shared"}, help: "Each user has connections of its own, as a browser has, or all share a pool."},
			{name: "max_connections", kind: integerKind, def: "0", from: 0, to: maxUsers, help: "Most connections of the shared pool; 0 is no cap."},
			{name: "compression", kind: booleanKind, def: "true", help: "Ask for gzip. A body is unpacked only if something reads it."},
			{name: "cookies", kind: wordKind, def: "user", words: []string{"user", "iteration", "off"}, help: "How long cookies are kept."},
			{name: "body_limit", kind: sizeKind, def: "1MiB", from: 0, to: 1 << 30, help: "So much of a body is kept for checks and captures; the rest is read, counted and dropped."},
			{name: "user_agent", kind: textKind, help: "Without it, loadline/VERSION."},
			{name: "proxy", kind: textKind, def: "env", help: "`env` (HTTP_PROXY and so on), `off`, or a URL."},
			{name: "ip", kind: wordKind, def: "any", words: []string{"any", "4", "6"}, help: "Version of IP."},
			{name: "resolve", kind: tagsKind, help: "Connect elsewhere: `\"staging.example.com:443\" = \"10.0.0.7:443\"`."},
			{name: "headers", kind: pairsKind, help: "On every request; a step's own header wins."},
			{name: "auth", kind: tableKind, of: "auth", help: "Credentials for every request to the target."},
			{name: "tls", kind: tableKind, of: "tls", help: "Certificates."},
		},
	},
	{
		name: "auth", header: "[http.auth]", help: "Exactly one of:",
		keys: []key{
			{name: "basic", kind: tableKind, of: "basic", help: "User and password."},
			{name: "bearer", kind: templateKind, help: "A token, sent as `Authorization: Bearer ...`."},
			{name: "oauth2", kind: tableKind, of: "oauth2", help: "A token fetched by client credentials before the load and refreshed in the background, unmeasured."},
		},
	},
	{
		name: "basic", header: "[http.auth.basic]", help: "`basic = { user = \"...\", password = \"{{ password }}\" }`",
		keys: []key{
			{name: "user", kind: templateKind, need: true, help: "User name."},
			{name: "password", kind: templateKind, need: true, help: "Password."},
		},
	},
	{
		name: "oauth2", header: "[http.auth.oauth2]", help: "The client credentials grant of OAuth 2 (RFC 6749 section 4.4).",
		keys: []key{
			{name: "token_url", kind: templateKind, need: true, help: "Where tokens are fetched."},
			{name: "client_id", kind: templateKind, need: true, help: "Name of the client."},
			{name: "client_secret", kind: templateKind, need: true, help: "Its secret."},
			{name: "scopes", kind: textsKind, help: "What the token is for."},
			{name: "audience", kind: textKind, help: "Whom the token is for."},
		},
	},
	{
		name: "tls", header: "[http.tls]", help: "Certificates; paths are relative to the spec.",
		keys: []key{
			{name: "ca", kind: fileKind, help: "Certificates to trust instead of the system's (PEM)."},
			{name: "cert", kind: fileKind, help: "Client certificate (PEM); needs `key`."},
			{name: "key", kind: fileKind, help: "Its key (PEM); needs `cert`."},
			{name: "server_name", kind: textKind, help: "Name to ask for and verify, if not the target's host."},
			{name: "min_version", kind: wordKind, def: "1.2", words: []string{"1.2", "1.3"}, help: "Least version of TLS."},
			{name: "insecure", kind: booleanKind, def: "false", help: "Trust any certificate; warned about."},
		},
	},
	{
		name: "load", header: "[load]", help: "Exactly one form: closed (`users`, `duration`), counted (`users` with `iterations` or `iterations_per_user`), open (`rate`, `duration`), `stages`, or `staircase`.",
		keys: []key{
			{name: "users", kind: integerKind, from: 1, to: maxUsers, help: "Closed: keeps so many users at work."},
			{name: "rate", kind: rateKind, from: 0, to: maxRate, help: "Open: starts so many iterations, whether or not earlier ones have ended."},
			{name: "duration", kind: durationKind, from: 0.001, to: day, help: "How long; needed with users or rate. With iterations it is a cap, \"10m\" by default."},
			{name: "spawn_rate", kind: rateKind, from: 0, to: maxRate, help: "Closed and counted: users started per second. Without it, all at once."},
			{name: "iterations", kind: integerKind, from: 1, to: 1e12, help: "Counted: so many iterations, shared by all users."},
			{name: "iterations_per_user", kind: integerKind, from: 1, to: 1e9, help: "Counted: so many iterations of each user."},
			{name: "stages", kind: tablesKind, of: "stage", help: "One after the other, all of users or all of rates."},
			{name: "staircase", kind: tableKind, of: "staircase", help: "Levels that rise, each a stage named like \"40/s\"; mostly with `stop_when`."},
			{name: "warmup", kind: durationKind, def: "0s", from: 0, to: day, help: "Unmeasured lead-in at the first level."},
			{name: "max_users", kind: integerKind, from: 1, to: maxUsers, help: "Open: most iterations in flight; an arrival above it is dropped and counted. Without it, 10 times the highest rate per second, at least 100 and at most 20000."},
			{name: "arrivals", kind: wordKind, def: "even", words: []string{"even", "poisson"}, help: "Open: gaps between arrivals are all alike, or random as from many independent users."},
			{name: "graceful_stop", kind: durationKind, def: "30s", from: 0, to: day, help: "At the end, running iterations may finish for so long; what is cut off is not counted."},
			{name: "stop_when", kind: limitsKind, help: "Ends the load, without failing it, when one of these limits is true, as in `\"errors > 5%\"`. Looked at each second, over the last 10 s or the current step."},
			{name: "seed", kind: integerKind, def: "1", help: "The same seed picks the same scenarios, rows and random values in every run."},
		},
	},
	{
		name: "stage", header: "stages = [ {...} ]", help: "`[[load.stages]]` works too.",
		keys: []key{
			{name: "duration", kind: durationKind, need: true, from: 0, to: day, help: "`\"0s\"` jumps to the level."},
			{name: "users", kind: integerKind, from: 0, to: maxUsers, help: "Hold so many users."},
			{name: "rate", kind: rateKind, from: 0, to: maxRate, help: "Hold this rate."},
			{name: "ramp_to", kind: levelKind, from: 0, to: maxRate, help: "Move there in a straight line from the level before; from 0 in the first stage. Going down, users leave after their iteration."},
			{name: "name", kind: textKind, help: "Value of the tag `stage`; unique. Without it, stage-1 and so on."},
			{name: "measure", kind: booleanKind, def: "true", help: "false: shown, but no limit, comparison or summary uses it."},
		},
	},
	{
		name: "staircase", header: "[load.staircase]", help: "`staircase = { from = \"10/s\", to = \"500/s\", by = \"10/s\", every = \"20s\" }`",
		keys: []key{
			{name: "from", kind: levelKind, need: true, from: 0, to: maxRate, help: "First level."},
			{name: "to", kind: levelKind, need: true, from: 0, to: maxRate, help: "Last level."},
			{name: "by", kind: levelKind, need: true, from: 0, to: maxRate, help: "Height of a step."},
			{name: "every", kind: durationKind, need: true, from: 0.001, to: day, help: "Length of a step."},
		},
	},
	{
		name: "user", header: "[user]", help: "What every user does beside the scenarios.",
		keys: []key{
			{name: "think", kind: thinkKind, def: "0s", of: "think", from: 0, to: day, help: "Pause after each iteration."},
			{name: "pace", kind: durationKind, def: "0s", from: 0, to: day, help: "Closed: least time from start to start of a user's iterations."},
			{name: "lifetime", kind: wordKind, def: "run", words: []string{"run", "iteration"}, help: "iteration: every iteration is a new user, with a new connection, cookies and `on_start`."},
			{name: "on_start", kind: tablesKind, of: "step", help: "Steps sent once per user before its first iteration; measured under their own names. If one fails, the user ends."},
			{name: "on_stop", kind: tablesKind, of: "step", help: "Steps sent once per user at its end."},
		},
	},
	{
		name: "think", header: "think", help: "`\"1s\"`, `\"1s..3s\"` (evenly between), or a table:",
		keys: []key{
			{name: "dist", kind: wordKind, words: []string{"normal", "exponential"}, help: "Without it, normal with `sd` and exponential without."},
			{name: "mean", kind: durationKind, need: true, from: 0, to: day, help: "Mean."},
			{name: "sd", kind: durationKind, from: 0, to: day, help: "Standard deviation; normal only."},
		},
	},
	{
		name: "scenario", header: "[[scenario]]", help: "What users do.",
		keys: []key{
			{name: "name", kind: textKind, need: true, help: "Unique; value of the tag `scenario`."},
			{name: "weight", kind: numberKind, def: "1", from: 0, to: 1_000_000, help: "Share of the iterations, dealt from a shuffled deck, so that shares are exact. 0 switches the scenario off."},
			{name: "users", kind: integerKind, from: 1, to: maxUsers, help: "Closed: exactly so many of the users run only this scenario."},
			{name: "load", kind: tableKind, of: "load", help: "A load of its own beside the common one; not with `weight` or `users`."},
			{name: "start", kind: durationKind, def: "0s", from: 0, to: day, help: "When its own load begins."},
			{name: "think", kind: thinkKind, of: "think", from: 0, to: day, help: "Pause after each iteration; without it, that of `[user]`."},
			{name: "pace", kind: durationKind, from: 0, to: day, help: "As in `[user]`, whose value holds without it."},
			{name: "tags", kind: tagsKind, help: "On every sample."},
			{name: "on_start", kind: tablesKind, of: "step", help: "Steps sent once per user before its first iteration of this scenario."},
			{name: "step", kind: tablesKind, of: "step", need: true, help: "One request each; at least one."},
		},
	},
	{
		name: "step", header: "[[scenario.step]]", help: "One request, or several sent together. Setup, teardown, on_start, on_stop and parallel hold steps too.",
		keys: []key{
			{name: "request", kind: requestKind, help: "Needed unless the step has `parallel`."},
			{name: "name", kind: textKind, help: "Value of the tag `step`; unique in a scenario. Without it, the request as written, without its query, so that `/users/1` and `/users/2` are one line of a report."},
			{name: "query", kind: pairsKind, help: "Query parameters."},
			{name: "headers", kind: pairsKind, help: "Headers."},
			{name: "json", kind: jsonKind, help: "Body: a JSON document. A string that is exactly one `{{ }}` keeps the type of its value."},
			{name: "form", kind: pairsKind, help: "Body: a form."},
			{name: "multipart", kind: partsKind, of: "part", help: "Body: a form with files, `{ title = \"cat\", image = { file = \"cat.jpg\", type = \"image/jpeg\" } }`."},
			{name: "graphql", kind: tableKind, of: "graphql", help: "Body: a GraphQL request."},
			{name: "body", kind: templateKind, help: "Body: text."},
			{name: "body_file", kind: fileKind, help: "Body: a file, sent as it is."},
			{name: "expect", kind: expectKind, def: `"2xx"`, help: "Any other status makes the request failed."},
			{name: "control", kind: booleanKind, def: "false", help: "A request that no change should move, as a health page. If it moves, the environment has moved, and the verdict is \"inconclusive\"."},
			{name: "checks", kind: checksKind, of: "check", help: "What must be true of the answer, counted each under its name."},
			{name: "capture", kind: capturesKind, help: "Values of the answer to keep, for `{{ }}` in later steps. No match: `error=capture`, and the iteration ends there."},
			{name: "record", kind: recordsKind, help: "Feeds `[metrics]`: rate and counter take a check or a number, trend and gauge a number."},
			{name: "think", kind: thinkKind, def: "0s", of: "think", from: 0, to: day, help: "Pause after this step."},
			{name: "timeout", kind: durationKind, from: 0.001, to: minutes10, help: "Without it, that of `[http]`."},
			{name: "redirects", kind: integerKind, from: 0, to: 20, help: "Without it, that of `[http]`."},
			{name: "if", kind: checkKind, help: "The step is sent only if this holds: of the answer before, or with `{{ }}` on the left."},
			{name: "repeat", kind: integerKind, def: "1", from: 1, to: 10_000, help: "So often, one after the other."},
			{name: "for_each", kind: forEachKind, help: "Once for each item of a captured list, which is then `{{ x }}`."},
			{name: "parallel", kind: tablesKind, of: "step", help: "Steps sent together; the step ends with the last of them."},
			{name: "on_failure", kind: wordKind, def: "continue", words: []string{"continue", "end-iteration", "end-user", "stop-run"}, help: "After a failed request or check."},
			{name: "tags", kind: tagsKind, help: "On every sample of this step."},
		},
	},
	{
		name: "check", header: "checks = [ {...} ]", help: "A check is a string, or with a name:",
		keys: []key{
			{name: "name", kind: textKind, need: true, help: "Value of the tag `check`."},
			{name: "check", kind: checkKind, need: true, help: "What must be true."},
		},
	},
	{
		name: "part", header: "multipart = { name = {...} }", help: "A part of a multipart body is a string, or a file:",
		keys: []key{
			{name: "file", kind: fileKind, need: true, help: "Path of the file."},
			{name: "type", kind: textKind, help: "Its content type. Without it, by the name's extension."},
		},
	},
	{
		name: "graphql", header: "graphql = {...}", help: "A GraphQL request, sent as JSON.",
		keys: []key{
			{name: "query", kind: templateKind, need: true, help: "The query or mutation."},
			{name: "variables", kind: jsonKind, help: "A table of its variables."},
			{name: "operation", kind: textKind, help: "Name of the operation, where the query has several."},
		},
	},
	{
		name: "data", header: "[data.NAME]", help: "Rows that users draw from, as `{{ NAME.column }}`.",
		keys: []key{
			{name: "file", kind: fileKind, help: "CSV (the first line names the columns), JSON (an array of objects) or JSON lines. This or `rows`."},
			{name: "rows", kind: rowsKind, help: "The rows themselves: `[{ id = \"free\" }, { id = \"pro\" }]`."},
			{name: "format", kind: wordKind, words: []string{"csv", "json", "jsonl"}, help: "Without it, by the file's extension."},
			{name: "delimiter", kind: textKind, def: ",", help: "CSV: one character."},
			{name: "cast", kind: booleanKind, def: "true", help: "CSV: numbers, true and false get their types; numbers with leading zeros stay text."},
			{name: "order", kind: wordKind, def: "sequential", words: []string{"sequential", "random", "shuffle", "unique"}, help: "unique: a row is handed out once in the whole run."},
			{name: "per", kind: wordKind, def: "iteration", words: []string{"iteration", "user", "run"}, help: "How long a row is kept."},
			{name: "at_end", kind: wordKind, def: "loop", words: []string{"loop", "stop"}, help: "After the last row. `order = \"unique\"` implies stop."},
		},
	},
	{
		name: "gate", header: "[gate]", help: "Limits, and what a change may cost.",
		keys: []key{
			{name: "thresholds", kind: thresholdsKind, of: "threshold", help: "Absolute limits."},
			{name: "compare", kind: comparesKind, of: "comparison", help: "What a change may cost against the baseline. Without it: latency.p50 and latency.p95 within 5% or 1ms, latency.p99 within 10% or 2ms, errors within 0.5pp. `[]` switches it off."},
			{name: "per", kind: wordKind, def: "step", words: []string{"total", "scenario", "step"}, help: "What is compared: the whole run, each scenario, each step."},
			{name: "baseline", kind: textKind, def: "merge-base", help: "What to compare with: `merge-base`, the runs of the main branch up to where the pull request left it; `branch:NAME`, the runs of the last 100 commits of that branch; `tag:NAME`, those of the tagged commit alone; or `none`."},
			{name: "rounds", kind: integerKind, def: "1", from: 1, to: 50, help: "So often the whole load is driven against stored runs before it is judged, all together. `loadline ab` alternates in blocks of a second instead."},
			{name: "confirm", kind: integerKind, def: "1", from: 0, to: 3, help: "So often the job measures again when something looks slower than stored runs, before it is called a regression. `loadline ab` confirms by restarting both sides."},
			{name: "confidence", kind: percentKind, def: "95%", from: 0.5, to: 0.9999, help: "Of the range given for a difference."},
			{name: "min_requests", kind: integerKind, def: "100", from: 1, to: 1e9, help: "Rows with less are listed, not judged. A percentile also needs 10 samples beyond it: 200 for p95, 1000 for p99."},
		},
	},
	{
		name: "threshold", header: "thresholds = [ {...} ]", help: "A threshold is a limit, or with more to say:",
		keys: []key{
			{name: "limit", kind: limitKind, need: true, help: "What must be true of the run."},
			{name: "abort", kind: booleanKind, def: "false", help: "Stop the run when it is broken."},
			{name: "after", kind: durationKind, def: "10s", from: 0, to: day, help: "With abort or window: not judged before."},
			{name: "window", kind: durationKind, def: "0s", from: 0, to: day, help: "Every stretch of this length must hold it, not just the whole."},
			{name: "action", kind: wordKind, def: "fail", words: []string{"fail", "warn"}, help: "What a broken limit does."},
		},
	},
	{
		name: "comparison", header: "compare = [ {...} ]", help: "A comparison is a rule, or with more to say:",
		keys: []key{
			{name: "rule", kind: ruleKind, need: true, help: "What a change may cost."},
			{name: "per", kind: wordKind, words: []string{"total", "scenario", "step"}, help: "Without it, that of `[gate]`."},
			{name: "action", kind: wordKind, def: "fail", words: []string{"fail", "warn"}, help: "What a broken rule does."},
		},
	},
	{
		name: "observe", header: "[[observe]]", help: "The target's own numbers, read every few seconds while the load runs: shown in reports, and judged where a limit names `target.ROLE`. Exactly one of scrape, prometheus, command, log.",
		keys: []key{
			{name: "scrape", kind: urlKind, help: "A page of metrics as Prometheus reads it; a path such as `/metrics` is one of the target's host."},
			{name: "prometheus", kind: urlKind, help: "A Prometheus server; its query API is asked."},
			{name: "command", kind: textKind, help: "A command line that prints a number; needs `--allow-exec`."},
			{name: "log", kind: textKind, help: "A file whose new lines are counted, those that match, per second; needs `--allow-exec`."},
			{name: "every", kind: durationKind, def: "5s", from: 1, to: day, help: "How often."},
			{name: "headers", kind: pairsKind, help: "scrape and prometheus: sent along."},
			{name: "pattern", kind: patternKind, help: "command: the first group is the number; without it all that is printed. log: which lines count."},
			{name: "series", kind: namedKind, of: "series", need: true, help: "Role = what to read. Names that mean something to everybody are cpu, memory, connections, db_connections, gc, disk_io, queue and error_log. Of a role that is there twice the first that gives numbers counts."},
		},
	},
	{
		name: "series", header: "[observe.series]", help: "`cpu = { expr = \"rate(process_cpu_seconds_total)\", limit = 4 }`",
		keys: []key{
			{name: "expr", kind: textKind, help: "scrape: `metric{label='x'}`, `rate(metric)`, `sum(...)`, `avg`, `min`, `max`, `count`, and `+ - * /` between single numbers. prometheus: PromQL that gives one number."},
			{name: "limit", kind: quantityKind, help: "Capacity: limits judge the share of it, and reports show it."},
		},
	},
	{
		name: "diagnose", header: "[diagnose]", help: "What the run is searched for. Checked, but not yet acted on.",
		keys: []key{
			{name: "disable", kind: wordsKind, words: DiagnoseRules, help: "Rules left out."},
			{name: "fail_on", kind: wordsKind, words: DiagnoseRules, help: "Rules that fail the gate when they find something; none by default."},
			{name: "cpu_high", kind: percentKind, def: "85%", from: 0, to: 1, help: "From here on a CPU counts as busy."},
			{name: "cpu_low", kind: percentKind, def: "50%", from: 0, to: 1, help: "Up to here it counts as idle."},
		},
	},
	{
		name: "profile", header: "[profile.NAME]", help: "Tables are merged key by key, lists are replaced, and `load` and `http.auth` are replaced whole.",
		keys: []key{
			{name: "target", kind: tableKind, of: "target"},
			{name: "vars", kind: scalarsKind},
			{name: "secrets", kind: tagsKind},
			{name: "metrics", kind: typesKind, words: []string{"rate", "counter", "trend", "gauge"}},
			{name: "http", kind: tableKind, of: "http"},
			{name: "load", kind: tableKind, of: "load"},
			{name: "user", kind: tableKind, of: "user"},
			{name: "setup", kind: tablesKind, of: "step"},
			{name: "teardown", kind: tablesKind, of: "step"},
			{name: "scenario", kind: tablesKind, of: "scenario"},
			{name: "data", kind: namedKind, of: "data"},
			{name: "gate", kind: tableKind, of: "gate"},
			{name: "observe", kind: tablesKind, of: "observe"},
			{name: "diagnose", kind: tableKind, of: "diagnose"},
		},
	},
}

// DiagnoseRules are the names of the rules of the diagnosis, which
// [diagnose] disable and fail_on may name.
var DiagnoseRules = []string{
	"rate-limited", "downstream-failure", "slow-error-growth", "latency-spikes", "degradation-point",
	"throughput-ceiling", "overload-behaviour", "cpu-bound", "connection-limit", "db-connections",
	"memory-growth", "latency-drift", "error-log", "status-mix", "wrong-from-start", "generator-limited",
}
