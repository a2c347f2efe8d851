#!/usr/bin/env bash
# Real drivers against pgweir in transaction mode, two servers, while other clients keep them busy.
#
#   tests/drivers/run.sh [--direct] [DRIVER...]   psycopg asyncpg pgx jdbc node; default: all
#
# --direct leaves pgweir out: what fails then is the test. BINARY=PATH runs that pgweir instead of
# build/release/pgweir. Drivers are installed under build/drivers. One whose language is not here is
# skipped, and says so.
# shellcheck disable=SC2317 # functions are called by name
set -uo pipefail
# shellcheck source=SCRIPTDIR/../../deploy/common.sh
source "$(dirname "$0")/../../deploy/common.sh"

here=$root/tests/drivers
installed=$root/build/drivers
jdbc=org.postgresql:postgresql:42.7.4
copy_goal=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy
limit=120 # seconds for one driver
workspace='' pooler='' churn='' direct=''

clean_up()
{
    trap '' INT TERM
    # shellcheck disable=SC2086 # numbers or nothing
    [[ $churn$pooler ]] && kill $churn $pooler 2>/dev/null && wait $churn $pooler 2>/dev/null
    postgres_stop
    [[ $workspace ]] && rm -rf "$workspace"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Each driver: what it needs, how it is installed, how it is run.
needs_psycopg() { echo python3; }
install_psycopg() { install_python; }
run_psycopg() { "$installed/python/bin/python" -B "$here/psycopg_driver.py"; }

needs_asyncpg() { echo python3; }
install_asyncpg() { install_python; }
run_asyncpg() { "$installed/python/bin/python" -B "$here/asyncpg_driver.py"; }

needs_pgx() { echo go; }
install_pgx()
{
    # Modules that can be removed again, and nothing in the home directory.
    export GOPATH=$installed/go GOFLAGS="${GOFLAGS:-} -modcacherw"
    (cd "$here/pgx" && go build -o "$installed/pgx" .)
}
run_pgx() { "$installed/pgx"; }

needs_jdbc() { echo java mvn; }
install_jdbc()
{
    mvn -q -B -Dmaven.repo.local="$installed/m2" "$copy_goal" -Dartifact="$jdbc" \
        -DoutputDirectory="$installed/jdbc" -Dmdep.stripVersion=true
}
run_jdbc() { java -cp "$installed/jdbc/postgresql.jar" "$here/Jdbc.java"; }

needs_node() { echo node npm; }
install_node()
{
    mkdir -p "$installed/node" && cp "$here"/node/* "$installed/node/" &&
        (cd "$installed/node" && npm ci --silent --no-audit --no-fund)
}
run_node() { node "$installed/node/driver.js"; }

install_python()
{
    [[ -x $installed/python/bin/python ]] || python3 -m venv "$installed/python" || return
    "$installed/python/bin/python" -m pip install --quiet --disable-pip-version-check \
        --requirement "$here/requirements.txt"
}

free_port()
{
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

await() # SECONDS COMMAND...
{
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

start_database()
{
    workspace=$(mktemp -d "${TMPDIR:-/tmp}/pgweir-drivers.XXXXXX") || die "no temporary directory"
    chmod 755 "$workspace"
    scratch=$workspace/scratch
    mkdir "$workspace/postgres" "$scratch"
    password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
    postgres_port=$(free_port)
    postgres_start "$workspace/postgres" app "$password" "listen_addresses = '127.0.0.1'"
    DATABASE_URL=postgresql://app:$password@127.0.0.1:$postgres_port/app
}

start_pooler()
{
    local port binary=${BINARY:-$root/build/release/pgweir}
    [[ -x $binary ]] || die "$binary is not there: build it, or name another with BINARY"
    port=$(free_port)
    DATABASE_URL=$DATABASE_URL setpriv --pdeathsig TERM "$binary" --listen "127.0.0.1:$port" --http "127.0.0.1:$(free_port)" \
        --pool-size 2 2>"$scratch/pooler" &
    pooler=$!
    DATABASE_URL=postgresql://app:$password@127.0.0.1:$port/app
    await 20 psql -XAtc 'select 1' "$DATABASE_URL" || die "pgweir does not answer: $(tail -5 "$scratch/pooler")"
}

# Four clients that never rest, with prepared statements of their own under the same names.
start_churn()
{
    printf '%s\n' '\set x random(1, 1000)' 'BEGIN;' 'SELECT :x;' 'SELECT pg_sleep(0.002);' 'END;' \
        'SELECT :x + 1;' >"$scratch/churn.sql"
    # A thread for each client: one thread would block on preparing for one client while the others
    # of it hold all servers.
    "$(postgres_programs)/pgbench" -n -c 4 -j 4 -M prepared -T 3600 -f "$scratch/churn.sql" "$DATABASE_URL" \
        >"$scratch/churn" 2>&1 &
    churn=$!
}

failed=0 run=0
report() # passed|FAILED|skipped NAME DETAIL
{
    printf '%-8s %-10s %s\n' "$1" "$2" "$3"
    [[ $1 == skipped ]] && return
    run=$((run + 1))
    [[ $1 == passed ]] || failed=$((failed + 1))
}

try_driver() # NAME
{
    local name=$1 program started
    for program in $("needs_$name"); do
        command -v "$program" >/dev/null || {
            report skipped "$name" "$program is not installed"
            return
        }
    done
    "install_$name" >"$scratch/log" 2>&1 || {
        report FAILED "$name" "could not be installed:"
        tail -20 "$scratch/log"
        return
    }
    started=$SECONDS
    export DATABASE_URL installed here
    export -f "run_$name"
    if timeout "$limit" bash -c "run_$name" >"$scratch/log" 2>&1; then
        report passed "$name" "$((SECONDS - started)) s"
    else
        report FAILED "$name" "exit code $?"
        tail -30 "$scratch/log"
    fi
}

case ${1:-} in -h | --help) sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//p}' "$0"; exit ;; esac
[[ ${1:-} == --direct ]] && { direct=1; shift; }
drivers=("$@")
((${#drivers[@]})) || drivers=(psycopg asyncpg pgx jdbc node)
for driver in "${drivers[@]}"; do declare -F "run_$driver" >/dev/null || die "no driver '$driver'"; done

install_packages postgres psql drivers
mkdir -p "$installed"
start_database
[[ $direct ]] || start_pooler
start_churn
for driver in "${drivers[@]}"; do try_driver "$driver"; done
if kill -0 "$churn" 2>/dev/null && ! grep -q 'error\|aborted' "$scratch/churn"; then
    report passed background "four other clients, no error"
else
    report FAILED background "$(tail -5 "$scratch/churn")"
fi
echo "drivers: $failed failed out of $run"
((failed == 0))
