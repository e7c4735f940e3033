#!/usr/bin/env bash
# Pictures of the comments that the tests of internal/report hold, as GitHub shows
# them: light and dark, folded and with all folds open. Needs Chromium and Node;
# what it installs lies in the user's cache folder.
#
#	bash .ci/comments/shoot.sh OUT [NAME...]     pass, regression, many-steps, ...
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mkdir -p "${1:?the folder for the pictures}" && cd "$1" && pwd)
shift
tools=${XDG_CACHE_HOME:-$HOME/.cache}/loadline-ci/comments
mkdir -p "$tools"
cp "$here/package.json" "$here/render.mjs" "$tools/"
[ -d "$tools/node_modules/mermaid" ] || npm --prefix "$tools" install --no-package-lock --no-audit --no-fund --silent
files=()
for name in "${@:-*}"; do
	for file in "$here"/../../internal/report/testdata/markdown/$name.md; do
		files+=("$file")
	done
done
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
for theme in light dark; do
	for folds in closed open; do
		node "$tools/render.mjs" "$theme" "$folds" "$out" "${files[@]}"
	done
done
for page in "$out"/*.html; do
	height=1000
	case $page in *-open.html) height=2600 ;; esac
	chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars --allow-file-access-from-files \
		--user-data-dir="$profile" --virtual-time-budget=8000 --window-size=860,"$height" --screenshot="${page%.html}.png" "file://$page" 2>/dev/null
done
ls "$out"/*.png
