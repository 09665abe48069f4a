# Sourced by the scripts of this folder, which ctest calls with PROGRAM and SOURCE_DIR: a scratch
# folder, checks that count failures, and comparisons of runs.
# shellcheck shell=bash disable=SC2034 # variables are used by the scripts
set -uo pipefail
program=$1
source_dir=$2
tasks_dir=$source_dir/tests/program/tasks
mpirun=$source_dir/launch/mpirun
scratch=$(mktemp -d /tmp/cohort-program-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# survivors of a killed rank are not waited for
export OMPI_MCA_odls_base_sigkill_timeout=1
n_failed=0

failed() {
  echo "FAILED: $*"
  n_failed=$((n_failed + 1))
}

# ctest shows nothing but the failures and their number
finish() {
  echo "$n_failed failed"
  [ "$n_failed" = 0 ]
  exit
}

# run N ARG ...: the program on N ranks; 0 is without mpirun
on_ranks() {
  local n=$1
  shift
  if [ "$n" = 0 ]; then
    timeout 120 "$program" "$@"
  else
    timeout 120 "$mpirun" -n "$n" "$program" "$@"
  fi
}

# must CODE COMMAND ...: the exit code is as expected; output goes to ./out and ./err
must() {
  local code=$1 got
  shift
  "$@" >out 2>err
  got=$?
  [ "$got" = "$code" ] && return 0
  failed "exit code $got, not $code: $*"
  cat out err
  return 1
}

# the newest checkpoint of a run
newest() {
  find "$1/checkpoints" -maxdepth 1 -name 'step-*' ! -name '*.tmp-*' | sort | tail -n 1
}

# the same metrics, weights, optimiser, experience; a damaged or missing file is a difference
same_bits() {
  local a=$1 b=$2 file from to
  for file in metrics.jsonl metrics.csv; do
    cmp "$a/$file" "$b/$file" || failed "$b/$file differs from $a"
  done
  from=$(newest "$a") to=$(newest "$b")
  [ "$(basename "$from")" = "$(basename "$to")" ] || failed "$to is not at the step of $from"
  (cd "$from" && find . -type f ! -name manifest.json | sort) >files.a
  (cd "$to" && find . -type f ! -name manifest.json | sort) >files.b
  cmp files.a files.b || failed "$to holds other files than $from"
  while read -r file; do
    cmp "$from/$file" "$to/$file" || failed "$to/$file differs from $from"
  done <files.a
}

# the tasks that are registered; each has a tiny config in tasks/
tasks() {
  "$program" list tasks | awk 'NR > 1 {print $1}'
}
