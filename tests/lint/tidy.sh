#!/usr/bin/env bash
# The must-fix list of .clang-tidy over what packets and the topology go through. Usage: tidy.sh BUILD_DIR
#
# Left out: actors, api and observability (their libraries' headers cost up to half a minute a file; the compilers'
# warnings are errors there).
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/lint/compilation_database.py "$1" "$1/lint"
build=$1/lint
files=$(git ls-files 'flows/*.cpp' 'topology/*.cpp' 'routing/*.cpp' 'schema/*.cpp')
echo "$files" | xargs -P "$(nproc)" -n 4 clang-tidy-14 --quiet -p "$build" 2>/dev/null
echo "$(echo "$files" | wc -l) files hold the must-fix list"
