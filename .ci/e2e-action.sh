#!/usr/bin/env bash
# The end-to-end check of the action: see .ci/e2e/main.go. Loopback only, at most
# twelve minutes, nothing left behind but tools in the user's cache folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/e2e"
exec go run . -repo ../.. -github "${LOADLINE_GITHUB:-../../../shared/github}" "$@"
