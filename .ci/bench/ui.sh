#!/usr/bin/env bash
# What it costs a run to be watched: the same load with nobody watching, and each
# KIND by turns, so that what the machine does meanwhile hits all of them. Prints
# the medians, and the ratios to the run that nobody watches.
#
#   bash .ci/bench/ui.sh [ROUNDS] [RATE] [DURATION] [KIND...]     default 5 5000/s 10s page stuck
#
# KIND: page (the live page, with three readers), stuck (one of them has stopped
# reading), lines (as in a log), terminal (the live view), otlp (metrics sent to a
# collector), target (it reads a page of 1,500 series of the target each second).
# Needs curl and jq, and script for the terminal, whose own work is in
# the figures; wants nothing else on the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-5} rate=${2:-5000/s} duration=${3:-10s}
kinds=(none "${@:4}")
[ $# -gt 3 ] || kinds+=(page stuck)
work=$(mktemp -d)
pids=()
cleanup() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
	rm -rf "$work"
}
trap cleanup EXIT

go build -o "$work/loadline" ./cmd/loadline
cat >"$work/target.go" <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	var page strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&page, "metric_%d_total{cpu=\"%d\"} %d\n", i/5, i%5, i)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"ok":true}`) })
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page.String()) })
	panic(http.Serve(l, nil))
}
GO
go build -o "$work/target" "$work/target.go"
"$work/target" >"$work/address" &
pids+=($!)
until [ -s "$work/address" ]; do :; done
cat >"$work/spec.toml" <<TOML
name = "ui-cost"
[target]
url = "http://$(cat "$work/address")"
[load]
rate = "$rate"
duration = "$duration"
warmup = "2s"
[[scenario]]
name = "main"
  [[scenario.step]]
  request = "GET /"
TOML

cat "$work/spec.toml" - >"$work/target.toml" <<'TOML'
[[observe]]
scrape = "/metrics"
every = "1s"
series = { one = { expr = "sum(rate(metric_7_total))" }, other = { expr = "max(metric_200_total)" } }
TOML

# measure KIND: one run; a line of "CPU µs per request, p50 µs, p99 µs, lag p99 µs"
measure() {
	local kind=$1 command=("$work/loadline" run "$work/spec.toml" --json "$work/r.json") readers=()
	case $kind in
	none) command+=(--quiet) ;;
	page | stuck) command+=(--quiet --ui 127.0.0.1:0) ;;
	lines) ;; # as in a log
	otlp) command+=(--quiet --otlp "http://$(cat "$work/address")") ;; # the target takes anything
	target) command=("$work/loadline" run "$work/target.toml" --json "$work/r.json" --quiet) ;;
	terminal) command=(env -u CI TERM=xterm-256color script -qec "stty cols 100 rows 40; ${command[*]}" /dev/null) ;;
	*) echo "no kind $kind: page, stuck, lines, terminal, otlp or target" >&2; exit 2 ;;
	esac
	TIMEFORMAT='%U %S'
	{ time "${command[@]}" >"$work/out" 2>"$work/err"; } 2>"$work/time" &
	local run=$!
	if [ "$kind" = page ] || [ "$kind" = stuck ]; then
		until url=$(grep -o 'http://[^ ]*/$' "$work/err" 2>/dev/null); do sleep 0.05; done
		for _ in 1 2 3; do
			curl -sN "${url}events" >/dev/null &
			readers+=($!)
		done
		if [ "$kind" = stuck ]; then
			kill -STOP "${readers[0]}"
		fi
	fi
	wait "$run" || true # whatever the verdict
	if [ "$kind" = terminal ] && ! grep -q 'in flight' "$work/out"; then
		echo "there was no live view: is this a terminal?" >&2
		exit 1
	fi
	for p in "${readers[@]}"; do kill -CONT "$p" 2>/dev/null || true; kill "$p" 2>/dev/null || true; done
	jq -r --arg cpu "$(tail -n 1 "$work/time")" \
		'($cpu | split(" ") | map(tonumber) | add) as $s | .total | [$s * 1e6 / .requests, .latency_us.p50, .latency_us.p99] | @tsv' "$work/r.json" |
		paste - <(jq -r '.run.generator.lag_us.p99' "$work/r.json")
}

for ((i = 0; i < rounds; i++)); do
	for ((k = 0; k < ${#kinds[@]}; k++)); do
		kind=${kinds[(k + i) % ${#kinds[@]}]}
		measure "$kind" >>"$work/$kind.tsv"
	done
done

median() { cut -f "$2" "$work/$1.tsv" | sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
printf '%-10s %16s %10s %10s %12s\n' watched 'CPU µs/request' 'p50 µs' 'p99 µs' 'lag p99 µs'
for kind in "${kinds[@]}"; do
	printf '%-10s %16.1f %10.0f %10.0f %12.0f\n' "$kind" "$(median "$kind" 1)" "$(median "$kind" 2)" "$(median "$kind" 3)" "$(median "$kind" 4)"
done
for kind in "${kinds[@]:1}"; do
	awk -v kind="$kind" -v a="$(median "$kind" 1)" -v b="$(median none 1)" -v c="$(median "$kind" 3)" -v d="$(median none 3)" \
		'BEGIN {printf "%-10s CPU %.3f times, p99 %.3f times that of nobody watching\n", kind, a / b, c / d}'
done
