#!/usr/bin/env bash
# Checks action.yml and the sub-actions, our workflows, and every workflow that the documents show.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/loadline-lint
mkdir -p "$cache"
if [ ! -x "$cache/actionlint-1.7.12/actionlint" ]; then
  GOFLAGS='' GOBIN="$cache/actionlint-1.7.12" go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
fi
if [ ! -d "$cache/action-validator-0.6.0" ]; then
  npm install --silent --no-audit --no-fund --prefix "$cache/action-validator-0.6.0.part" @action-validator/cli@0.6.0 @action-validator/core@0.6.0
  mv "$cache/action-validator-0.6.0.part" "$cache/action-validator-0.6.0"
fi
validator="$cache/action-validator-0.6.0/node_modules/.bin/action-validator"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Every fenced block of YAML that has jobs is a workflow.
for doc in README.md docs/*.md; do
  [ -f "$doc" ] || continue
  awk -v out="$scratch/$(basename "$doc" .md)" '
    /^```ya?ml$/ { inside = 1; text = ""; first = NR; next }
    /^```$/ && inside { inside = 0; if (text ~ /(^|\n)jobs:/) { print text > (out "-line-" first ".yml") } next }
    inside { text = text $0 "\n" }
  ' "$doc"
done
shown=("$scratch"/*.yml)
[ -f "${shown[0]}" ] || { echo "no workflow was found in the documents: is their fence still \`\`\`yaml?"; exit 1; }
mkdir "$scratch/known"
for file in .github/workflows/*.yml; do
  # Its schema is older than this right, which actions/attest asks for.
  grep -v '^      attestations: write' "$file" > "$scratch/known/$(basename "$file")"
done
for file in action.yml report/action.yml store/action.yml "$scratch"/known/*.yml "${shown[@]}"; do
  "$validator" "$file"
done
"$cache/actionlint-1.7.12/actionlint" .github/workflows/*.yml "${shown[@]}"
echo "ok   action.yml and its two sub-actions, $(ls .github/workflows/*.yml | wc -l) workflows, ${#shown[@]} in the documents"

# What `loadline init` writes for a newcomer.
go run ./cmd/loadline init --spec "$scratch/init.toml" --workflow "$scratch/init.yml" > /dev/null
"$validator" "$scratch/init.yml"
"$cache/actionlint-1.7.12/actionlint" "$scratch/init.yml"
echo "ok   the workflow of loadline init"
