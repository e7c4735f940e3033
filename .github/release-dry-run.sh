#!/usr/bin/env bash
# release-dry-run.sh [--host]: the whole path of a release in a scratch clone, with
# nothing published: tag, build, checksums, SBOM, image, the commit to pin, and
# action/install.sh from that commit. With --host only this machine's system is
# built, and its bytes are checked by a second build in another folder.
#
# It needs goreleaser ($GORELEASER, or in PATH); buildah too, or the image is left
# out and said so.
set -euo pipefail

host=
if [ "${1:-}" = --host ]; then host=1; fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
commit=$(git -C "$here" rev-parse HEAD)
tag=v1.98.76 # of v0 or v1, as the module path says
os=$(go env GOHOSTOS) arch=$(go env GOHOSTARCH)

fail() {
  echo "release dry run: $1" >&2
  exit 1
}

# build makes a release of the committed tree in a clone of its own.
build() {
  git clone --quiet --no-hardlinks "$here" "$scratch/$1"
  cd "$scratch/$1"
  git checkout --quiet --detach "$commit"
  git tag "$tag"
  if [ -n "$host" ]; then
    # The tree must be clean for the stamp, so the changed configuration lies beside it.
    sed -E "s/goos: .*/goos: [$os]/; s/goarch: .*/goarch: [$arch]/" .goreleaser.yaml > "$scratch/$1.yaml"
  else
    cp .goreleaser.yaml "$scratch/$1.yaml"
  fi
  GITHUB_TOKEN=none "${GORELEASER:-goreleaser}" release --clean --skip=publish,announce --release-notes CHANGELOG.md --config "$scratch/$1.yaml" > "$scratch/$1.log" 2>&1 ||
    { tail -40 "$scratch/$1.log" >&2; fail "goreleaser"; }
}

build one
(cd dist && sha256sum --check --quiet checksums.txt) || fail "checksums"
archives=(dist/*.tar.gz)
want=6
if [ -n "$host" ]; then want=1; fi
[ ${#archives[@]} = "$want" ] || fail "${#archives[@]} archives, want $want"
boms=(dist/*.cdx.json)
[ ${#boms[@]} = "$want" ] || fail "${#boms[@]} SBOMs, want $want"
grep --quiet '"name": "github.com/spf13/pflag"' "${boms[0]}" || fail "the SBOM names no pflag"

archive="dist/loadline_${tag#v}_${os}_$arch.tar.gz"
mkdir "$scratch/unpacked"
tar -xzf "$archive" -C "$scratch/unpacked"
"$scratch/unpacked/loadline" version | grep --fixed-strings " $tag " || fail "the binary does not know its version"

echo "the same bytes from another folder"
build two
cmp "$scratch/one/$archive" "$scratch/two/$archive" || fail "two builds of one commit differ"

cd "$scratch/one"
if [ -z "$host" ]; then
  echo "the commit to pin"
  bash .github/pin.sh "$tag" dist/checksums.txt
  [ "$(git rev-list -n1 v1)" = "$(git rev-list -n1 "action-$tag")" ] || fail "v1 is not the pinned commit"
  [ "$(git rev-parse "action-$tag^")" = "$(git rev-parse "$tag")" ] || fail "the pinned commit does not follow the release"
  mkdir -p "$scratch/releases/$tag"
  cp dist/*.tar.gz "$scratch/releases/$tag/"
  git clone --quiet --branch v1 . "$scratch/pinned" 2> /dev/null
  GITHUB_OUTPUT="$scratch/output" RUNNER_TEMP="$scratch" RUNNER_TOOL_CACHE="$scratch/tools" \
    LOADLINE_RELEASES="file://$scratch/releases" bash "$scratch/pinned/action/install.sh"
  "$(sed -n 's/^binary=//p' "$scratch/output")" version | grep --fixed-strings " $tag " || fail "the action installed something else"
fi

if ! command -v buildah > /dev/null; then
  echo "no buildah: the image was not built"
  exit 0
fi
echo "the image"
archs=(amd64 arm64)
if [ -n "$host" ]; then archs=("$arch"); fi
bash .github/image.sh dist "$scratch/image" "${archs[@]}"
store=(--root "$scratch/store" --runroot "$scratch/run" --storage-driver vfs)
buildah "${store[@]}" manifest create loadline > /dev/null
for a in "${archs[@]}"; do
  buildah "${store[@]}" build --quiet --isolation chroot --platform "linux/$a" --manifest loadline --file Dockerfile "$scratch/image" > /dev/null
done
buildah "${store[@]}" manifest inspect loadline | grep --count '"architecture"' | grep --quiet --line-regexp "${#archs[@]}" || fail "the image is not of ${#archs[@]} architectures"
image=$(buildah "${store[@]}" build --quiet --isolation chroot --platform "linux/$arch" --file Dockerfile "$scratch/image")
buildah "${store[@]}" inspect --type image --format '{{ .OCIv1.Config.User }}' "$image" | grep --quiet --line-regexp 65532:65532 || fail "the image runs as root"
box=$(buildah "${store[@]}" from "$image")
inside() { buildah "${store[@]}" run --isolation chroot "$box" -- /loadline "$@"; }
inside version | grep --fixed-strings " $tag " || fail "the image holds another version"
if [ -z "$host" ]; then
  inside demo | tail -3
fi
echo "release dry run: ok"
