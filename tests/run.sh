#!/usr/bin/env bash
# Installs what is missing, builds pgweir and runs all its tests.
#
#   tests/run.sh            everything that continuous integration does
#   tests/run.sh quick      the unit tests, debug build
#   tests/run.sh STEP...    some of: format lint release deploy sim asan tsan drivers fuzz
#
# JOBS=n changes how many compilers and tests run at once (default: one for each core).
# shellcheck disable=SC2317 # steps are called by name
set -uo pipefail
# shellcheck source=SCRIPTDIR/../deploy/common.sh
source "$(dirname "$0")/../deploy/common.sh"
cd "$root" || exit

all_steps=(format lint release deploy sim asan tsan drivers fuzz) # deploy looks at the release build
jobs=${JOBS:-$(nproc)}
export CMAKE_BUILD_PARALLEL_LEVEL=$jobs CTEST_PARALLEL_LEVEL=$jobs

sources() { find include src tests bench -name "*.[ch]pp" | sort; }

step_format() { sources | xargs clang-format-19 --dry-run -Werror; }

step_deploy()
{
    python3 -B tests/deploy/manifests_test.py && python3 -B tests/deploy/run_test.py &&
        python3 -B bench/tests.py
}

# What deploy/run.sh builds: optimised, so with warnings that the other builds cannot give.
step_release() { cmake --preset release && cmake --build --preset release --target pgweir; }

step_quick()
{
    cmake --preset debug && cmake --build --preset debug &&
        ctest --preset debug --label-exclude integration
}

# Millions of steps, which takes an optimised build; step by step the sanitizers see the same code.
step_sim() { cmake --workflow --preset sim; }

step_asan() { cmake --workflow --preset asan; }
step_tsan() { cmake --workflow --preset tsan; }

# clang-tidy over the layers whose target matches. A layer is one translation unit here (CMake's
# unity build): the checks go through all of Asio for each unit, and a dozen times that are two and a
# half minutes of one core, ninety times half an hour. So what is in an unnamed namespace needs a name
# that is the only one of its layer.
lint_layers() # CHECKS TARGET-PATTERN
{
    run-clang-tidy-19 -quiet -j "$jobs" -p build/lint -checks="$1,-bugprone-suspicious-include" \
        "/$2\.dir/Unity/" |
        grep -v -e '^clang-tidy-19 ' -e '^\[' -e ' warnings generated' -e '^$'
    return "${PIPESTATUS[0]}"
}

step_lint()
{
    cmake --preset lint >/dev/null || return
    # The analyzer cannot see through Asio coroutines and reports null pointers inside Boost.
    local without_asio='pgweir_(base|wire|auth|pool|session|config)' status=0
    lint_layers "-clang-analyzer-*" "(?!$without_asio\.)pgweir\w*" || status=1
    lint_layers "" "$without_asio" || status=1
    return $status
}

step_fuzz()
{
    cmake --preset fuzz || return
    local targets
    mapfile -t targets < <(cmake --build --preset fuzz --target help | sed -nE 's/^([a-z_]+_fuzz): phony$/\1/p')
    ((${#targets[@]})) || { say "no fuzz targets"; return 1; }
    cmake --build --preset fuzz --target "${targets[@]}" && ctest --preset fuzz
}

step_drivers() { step_release >/dev/null && tests/drivers/run.sh; }

purposes_of() # STEP
{
    case $1 in
        format | lint | fuzz | quick) echo build test ;;
        drivers) echo build postgres psql drivers ;;
        *) echo build postgres psql test ;;
    esac
}

# Runs a step, adds to the counts. The tests that ctest, unittest and the drivers report count one
# each, any other step counts as one.
run_step() # STEP
{
    local step=$1 output status started=$SECONDS counts
    say "" "==== $step"
    output=$(mktemp) || exit
    "step_$step" 2>&1 | tee "$output"
    status=${PIPESTATUS[0]}
    counts=$(sed -nE \
        -e 's/.*tests passed, ([0-9]+) tests failed out of ([0-9]+).*/\1 \2/p' \
        -e 's/^Ran ([0-9]+) tests? in .*/0 \1/p' \
        -e 's/^FAILED \(.*(failures|errors)=([0-9]+).*/\2 0/p' \
        -e 's/^drivers: ([0-9]+) failed out of ([0-9]+).*/\1 \2/p' "$output" |
        awk '{ bad += $1; all += $2 } END { print bad + 0, all + 0 }')
    rm "$output"
    local bad=${counts% *} all=${counts#* }
    ((all)) || all=1
    ((status == 0 || bad)) || { bad=1; ((all > 1)) && all=$((all + 1)); }
    tests_failed=$((tests_failed + bad)) tests_run=$((tests_run + all))
    summary+=("$(printf '%-8s %-6s %5d of %5d   %3d min %02d s' "$step" \
        "$( ((bad)) && echo FAILED || echo passed)" $((all - bad)) "$all" \
        $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)))")
}

case ${1:-} in -h | --help) sed -n '2,/^#   tests.*STEP/s/^# \{0,1\}//p' "$0"; exit ;; esac
steps=("$@")
((${#steps[@]})) || steps=("${all_steps[@]}")
purposes=()
for step in "${steps[@]}"; do
    declare -F "step_$step" >/dev/null || die "no step '$step': quick ${all_steps[*]}"
    # shellcheck disable=SC2207 # words
    purposes+=($(purposes_of "$step"))
done
install_packages "${purposes[@]}"

tests_run=0 tests_failed=0 summary=()
for step in "${steps[@]}"; do run_step "$step"; done

echo
printf '%s\n' "${summary[@]}"
echo
echo "$(((tests_run - tests_failed) * 100 / tests_run))% tests passed, $tests_failed tests failed out of $tests_run"
((tests_failed == 0))
