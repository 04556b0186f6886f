#!/bin/sh
# Build the lab for a version of Kubernetes: build.sh v1.37.2
# The programs go to bin/VERSION/. The module file go.mod is for the version it
# names; for any other this script makes one beside it, in bin/, and uses that.
set -eu
version=${1:?usage: build.sh VERSION, for example v1.37.2}
case $version in
v1.*.*) ;;
*) echo "build.sh: $version is no version such as v1.37.2" >&2; exit 2 ;;
esac
minor=${version#v1.}; minor=${minor%%.*}
cd "$(dirname "$0")"
out=bin/$version
mkdir -p "$out"
modfile=go.mod
if ! grep -q "k8s.io/kubernetes $version\$" go.mod; then
	modfile=bin/$version.mod
	./pin.sh "$version" "$modfile"
fi
commit=$(go mod download -modfile="$modfile" -json "k8s.io/kubernetes@$version" | sed -n 's/.*"Sum": "h1:\(.*\)",*$/\1/p' | od -An -tx1 | tr -d ' \n' | cut -c1-40)
flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	flags="$flags -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
	flags="$flags -X $package.gitTreeState=clean -X $package.gitCommit=$commit"
done
procs=${LAB_BUILD_PROCS:-2}
go build -modfile="$modfile" -p "$procs" -ldflags "$flags" -o "$out/lab" ./cmd/lab
go build -modfile="$modfile" -p "$procs" -ldflags "$flags" -o "$out/sample-controller" k8s.io/sample-controller
echo "built $out/lab and $out/sample-controller"
