#!/usr/bin/env bash
# Runs one step of a make target with a header, and prints its duration: `tools/step.sh TITLE COMMAND...`
set -uo pipefail

readonly title="$1"
shift
readonly begin="${EPOCHREALTIME/[.,]/}"

printf '\n==> %s\n' "$title"
"$@"
readonly status=$?

tenths=$(((${EPOCHREALTIME/[.,]/} - begin) / 100000))
outcome=done
[ "$status" -eq 0 ] || outcome="FAILED (exit $status)"
printf '    %s: %s after %d.%d s\n' "$title" "$outcome" $((tenths / 10)) $((tenths % 10))
exit "$status"
