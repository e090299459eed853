#!/usr/bin/env bash
# Every Python program: names that are not defined, imports that nobody uses, definitions that hide others.
set -eu
cd "$(dirname "$0")/../.."
mapfile -t files < <(git ls-files '*.py'; git grep -lI '^#!.*python3' -- ':!*.py')
/usr/bin/python3 -m pyflakes "${files[@]}"  # of Debian's package, whichever Python comes first
echo "pyflakes has no complaint about ${#files[@]} files"
