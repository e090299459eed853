#!/usr/bin/env bash
# Every C++ file as clang-format (14, .clang-format) lays it out.
set -eu
cd "$(dirname "$0")/../.."
git ls-files '*.hpp' '*.cpp' | xargs clang-format-14 --dry-run -Werror
echo "$(git ls-files '*.hpp' '*.cpp' | wc -l) files are laid out as .clang-format says"
