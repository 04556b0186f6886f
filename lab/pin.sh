#!/bin/sh
# Write a module file for a version of Kubernetes: pin.sh v1.36.3 bin/v1.36.3.mod
#
# k8s.io/kubernetes asks for its staging modules (k8s.io/api and so on) at
# v0.0.0, and a module that uses it must say which version stands for that: the
# same minor version and patch. Everything else it asks for is taken as it is.
set -eu
version=${1:?usage: pin.sh VERSION FILE}
file=${2:?usage: pin.sh VERSION FILE}
staging=v0.${version#v1.}
dir=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/.*"Dir": "\(.*\)",*$/\1/p')
[ -n "$dir" ] || { echo "pin.sh: the module proxy has no k8s.io/kubernetes $version" >&2; exit 1; }
# The operator has no release for every patch of the others.
operator=$staging
while ! go list -m "k8s.io/sample-controller@$operator" >/dev/null 2>&1; do
	patch=${operator##*.}
	[ "$patch" -gt 0 ] || { echo "pin.sh: no k8s.io/sample-controller for $staging" >&2; exit 1; }
	operator=${operator%.*}.$((patch - 1))
done
{
	echo "module github.com/whet-k8s/whet/lab"
	echo
	sed -n 's/^go \([0-9.]*\)$/go \1/p' "$dir/go.mod"
	echo
	echo "require ("
	echo "	k8s.io/kubernetes $version"
	echo "	k8s.io/sample-controller $operator"
	echo ")"
	echo
	echo "replace ("
	sed -n 's/^[[:space:]]*\(k8s.io\/[a-z-]*\) => \.\/staging.*$/\1/p' "$dir/go.mod" | while read -r module; do
		case $module in
		k8s.io/sample-controller) echo "	$module => $module $operator" ;;
		*) echo "	$module => $module $staging" ;;
		esac
	done
	echo ")"
	echo
	echo "tool k8s.io/sample-controller"
} >"$file"
cp go.sum "${file%.mod}.sum"
go get -modfile="$file" ./... "k8s.io/sample-controller@$operator"
