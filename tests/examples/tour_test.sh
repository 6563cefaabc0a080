#!/usr/bin/env bash
# The promises of examples/00_tour.cpp, one function each. Run it as
#
#   tour_test.sh [<launcher> <arg>...] <00_tour>
#
# It works in a directory of its own, which it removes. A part that this machine cannot show is
# skipped, and says so.

set -Eeuo pipefail
set -m  # what is started in the background shall see SIGINT

tour=("$@")
headers=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../include" && pwd)
work=$(mktemp -d)
log=$work/log
trap 'chmod -R u+rwx "$work" && rm -rf "$work"' EXIT
trap 'echo "FAILED: ${BASH_COMMAND}, line $LINENO"' ERR
cd "$work"
export LC_ALL=C

fail() {
  echo "FAILED: ${FUNCNAME[1]}: $*"
  for file in out err log; do
    echo "---- $file"
    head -n 50 "$work/$file" 2>/dev/null || true
  done
  exit 1
}

skip() {
  result="skipped, $*"
}

# Runs the tour; what it says is in out and err, how it ended in $status.
run_tour() {
  status=0
  "${tour[@]}" --log "$log" "$@" >out 2>err </dev/null || status=$?
}

# The number before a name in the output: `number files`.
number() { sed -n "s/^ *\([0-9]*\)  $1\$/\1/p" out; }

# The same from find and wc. There are two kinds of wc, which differ in whether bytes that do not
# print make a word all alone; without those bytes they agree.
printable_words() {
  if [ "$(printf '\001' | wc -w)" -eq 0 ]; then
    find "$1" -type f -readable -exec cat {} \; -exec echo \; | wc -w
  else
    find "$1" -type f -readable -exec cat {} \; -exec echo \; | tr -cd '\t-\r -~' | wc -w
  fi
}

check_totals() {
  local directory=$1
  [ "$(number files)" -eq "$(find "$directory" -type f -readable -printf . | wc -c)" ] ||
    fail "the number of files in $directory"
  [ "$(number bytes)" -eq "$(find "$directory" -type f -readable -exec cat {} \; | wc -c)" ] ||
    fail "the number of bytes in $directory"
  [ "$(number lines)" -eq "$(find "$directory" -type f -readable -exec cat {} \; | wc -l)" ] ||
    fail "the number of lines in $directory"
  [ "$(number words)" -eq "$(printable_words "$directory")" ] ||
    fail "the number of words in $directory"
}

# Files that are hard on whoever counts words, in directories that are hard on whoever reads names.
make_hard_tree() {
  mkdir -p "hard/with space/and
newline" hard/empty hard/-dash
  : >hard/empty-file
  printf 'no newline at the end' >"hard/with space/a b"
  printf 'one\ntwo  three\n\n\tfour\n' >"hard/with space/and
newline/c
d"
  printf 'a\0b \0 c\001 \001 \200\377 d\200e \177 f\vg\fh\ri\n' >hard/binary
  printf 'f\303\274r \342\200\223 M\303\274ller\n' >hard/-dash/-n
  # Longer than any buffer, without white space but at the end, and with a word at every position.
  head -c 3000000 /dev/zero | tr '\0' x >hard/one-word
  seq 1 300000 >hard/numbers
  head -c 300000 /dev/zero | tr '\0' ' ' >hard/spaces
  local i
  for i in $(seq 0 255); do printf " \\$(printf %03o "$i") x\\$(printf %03o "$i")y "; done >hard/bytes
  ln -s hard/binary link-to-a-file
  ln -s ../hard hard/link-to-a-directory
  ln -s nowhere hard/dangling-link
}

counts_as_wc_does() {
  make_hard_tree
  local workers
  for workers in 1 2 7; do
    run_tour --once --workers $workers hard
    [ $status -eq 0 ] || fail "exit status $status"
    [ ! -s err ] || fail "something on stderr"
    check_totals hard
    grep -v seconds out >"out-$workers"
    cmp out-1 "out-$workers" || fail "$workers workers count differently"
  done
}

counts_headers_as_wc_does() {
  run_tour --once "$headers"
  [ $status -eq 0 ] || fail "exit status $status"
  check_totals "$headers"
}

finds_the_most_frequent_words() {
  run_tour --once --top 20 "$headers"
  find "$headers" -type f -exec cat {} \; -exec echo \; | tr -c 'A-Za-z0-9_\200-\377' '\n' |
    grep -a '^[^0-9]' | sort | uniq -c | sort -k1,1nr -k2,2 |
    awk 'NR <= 20 {print $1, $2}' >expected
  sed -n '3,22p' out | awk '{print $1, $2}' | diff expected - || fail "they differ"
}

compares_with_one_thread() {
  run_tour "$headers"
  [ $status -eq 0 ] || fail "exit status $status"
  [ ! -s err ] || fail "something on stderr"
  grep -q ' seconds on one thread$' out && grep -q ' seconds on the pool$' out &&
    grep -q ' times as fast$' out || fail "no comparison"
}

logs_the_names_of_threads() {
  run_tour --once --workers 2 hard
  local thread
  for thread in MainThread walker "worker_[01]"; do
    grep -q " $thread  *[a-z]" "$log" || fail "nothing from $thread"
  done
}

refuses() {
  run_tour "$@"
  [ $status -eq 2 ] || fail "exit status $status after $*"
  [ "$(wc -l <err)" -eq 1 ] || fail "not one line on stderr after $*"
  [ ! -s out ] || fail "something on stdout after $*"
}

refuses_what_it_cannot_do() {
  refuses "$work/no such directory"
  refuses "$work/hard/binary"
  refuses --log "$work/no such directory/log" hard
  refuses --nonsense
  refuses --workers 0 hard
  refuses --top many hard
  refuses --workers
  refuses hard hard
  run_tour --help
  [ $status -eq 0 ] && grep -q '^usage:' out || fail "no help"
}

goes_on_without_what_it_cannot_read() {
  if [ "$(id -u)" -eq 0 ]; then
    skip "root can read everything"
    return
  fi
  mkdir -p closed/directory
  echo text >closed/open
  echo text >closed/file
  echo text >closed/directory/file
  chmod 000 closed/file closed/directory
  run_tour --once closed
  chmod 755 closed/directory
  [ $status -eq 0 ] || fail "exit status $status"
  [ "$(number files)" -eq 1 ] || fail "the number of files"
  [ "$(number 'unreadable files')" -eq 1 ] || fail "the number of unreadable files"
  [ "$(number 'unreadable directories')" -eq 1 ] || fail "the number of unreadable directories"
  grep -q 'WARNING: .*closed/file: Permission denied' err || fail "no warning of the file"
  grep -q 'WARNING: .*closed/directory: Permission denied' err || fail "no warning of the directory"
}

# A tree whose first file keeps a single worker busy for long: the others wait behind it. All of it
# has been found when the log says so.
make_slow_tree() {
  rm -rf slow
  mkdir -p slow/below
  truncate -s 1000G slow/huge || return 1
  local i
  for i in 1 2 3 4 5; do echo "file number $i" >"slow/below/$i
"; done
}

start_tour() {
  rm -f "$log"
  "${tour[@]}" --log "$log" --once --workers 1 slow >out 2>err </dev/null &
  pid=$!
  until grep -qs 'found 6 files' "$log"; do
    kill -0 $pid 2>/dev/null || fail "it has ended too early"
    sleep 0.02
  done
}

goes_on_without_what_has_vanished() {
  if ! make_slow_tree; then
    skip "there are no files with holes here"
    return
  fi
  start_tour
  rm -r slow/below
  : >slow/huge  # and the worker comes to its end
  status=0
  wait $pid || status=$?
  [ $status -eq 0 ] || fail "exit status $status"
  [ "$(number files)" -eq 1 ] || fail "the number of files"
  [ "$(number 'unreadable files')" -eq 5 ] || fail "the number of unreadable files"
  [ "$(grep -c 'WARNING: cannot read slow/below/.\\x0a: No such file' err)" -eq 5 ] ||
    fail "not five warnings"
  [ "$(wc -l <err)" -eq 5 ] || fail "more than five lines on stderr"
}

stops_when_interrupted() {
  if ! make_slow_tree; then
    skip "there are no files with holes here"
    return
  fi
  local signal expected
  for signal in INT TERM; do
    start_tour
    kill -s $signal $pid
    status=0
    wait $pid || status=$?
    expected=$((128 + $(kill -l $signal)))
    [ $status -eq $expected ] || fail "exit status $status after SIG$signal"
    grep -q partial out || fail "the result is not marked as partial"
    [ "$(number files)" -eq 0 ] || fail "the number of files"
    [ ! -s err ] || fail "something on stderr"
  done
}

shows_progress_on_a_terminal_only() {
  run_tour --once hard
  ! grep -q remaining err || fail "progress is shown where nobody sees it"
  if ! script --version >version 2>&1 || ! grep -q util-linux version; then
    skip "there is no script(1) of util-linux"
    return
  fi
  local command
  command=$(printf '%q ' "${tour[@]}" --log "$log" --once hard)
  script -qec "$command" /dev/null >out </dev/null || fail "exit status $?"
  grep -q 'files done, .* files/s, .* remaining' out || fail "no progress is shown"
  script -qec "$command --quiet" /dev/null >out </dev/null || fail "exit status $?"
  ! grep -q remaining out || fail "--quiet shows progress"
}

reports_that_the_result_cannot_be_written() {
  if [ ! -c /dev/full ]; then
    skip "there is no /dev/full"
    return
  fi
  local status=0
  "${tour[@]}" --log "$log" --once hard >/dev/full 2>err || status=$?
  [ $status -eq 1 ] || fail "exit status $status"
  [ "$(wc -l <err)" -eq 1 ] || fail "not one line on stderr"
}

for promise in \
  counts_as_wc_does \
  counts_headers_as_wc_does \
  finds_the_most_frequent_words \
  compares_with_one_thread \
  logs_the_names_of_threads \
  refuses_what_it_cannot_do \
  goes_on_without_what_it_cannot_read \
  goes_on_without_what_has_vanished \
  stops_when_interrupted \
  shows_progress_on_a_terminal_only \
  reports_that_the_result_cannot_be_written; do
  result=ok
  $promise
  echo "$promise: $result"
done
