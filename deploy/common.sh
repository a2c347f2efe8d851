# Sourced by the scripts of deploy, tests and bench: packages, and a throw-away PostgreSQL.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

die()
{
    say "${0##*/}: $*"
    exit 1
}

packages_of() # PURPOSE...
{
    local purpose
    for purpose; do sed -n "s/^$purpose: *//p" "$root/deploy/packages.txt"; done | tr -s ' ' '\n'
}

packages_missing() # PURPOSE...
{
    local packages
    mapfile -t packages < <(packages_of "$@")
    comm -23 <(printf '%s\n' "${packages[@]}" | sort -u) \
        <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
            sed -n 's/ installed$//p' | sort -u)
}

# Silent when nothing is missing.
install_packages() # PURPOSE...
{
    local missing sudo=() apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q)
    if ! command -v dpkg-query apt-get >/dev/null; then
        say "no apt here: if the build fails, it wants what Debian 12 calls" "$(packages_of "$@")"
        return
    fi
    mapfile -t missing < <(packages_missing "$@")
    ((${#missing[@]})) || return 0

    if ((EUID != 0)); then
        command -v sudo >/dev/null ||
            die "not root and no sudo here. Please install: apt-get install ${missing[*]}"
        sudo=(sudo)
    fi
    say "installing ${missing[*]}"
    "${sudo[@]}" "${apt[@]}" update || say "apt-get update failed; trying with the lists at hand"
    if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
        without_default_cluster "${missing[@]}"
    else
        "${sudo[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
    fi || die "could not install ${missing[*]} (needs Debian 12 or its packages)"
}

# Debian's server package would create a cluster and start it at every boot; only the programs are
# wanted here. Uses sudo and apt of its caller.
without_default_cluster() # PACKAGE...
{
    local key=create_main_cluster file=/etc/postgresql-common/createcluster.conf status=0
    "${sudo[@]}" "${apt[@]}" install -y --no-install-recommends postgresql-common || return
    if grep -qs "^ *$key" "$file"; then
        "${sudo[@]}" "${apt[@]}" install -y --no-install-recommends "$@"
        return
    fi
    "${sudo[@]}" pg_conftool "$file" set "$key" off
    "${sudo[@]}" "${apt[@]}" install -y --no-install-recommends "$@" || status=$?
    "${sudo[@]}" pg_conftool "$file" remove "$key"
    return "$status"
}

# Where initdb and postgres are: Debian keeps them out of PATH.
postgres_programs()
{
    local directory
    for directory in "$(pg_config --bindir 2>/dev/null)" \
        $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr) \
        "$(dirname "$(command -v initdb 2>/dev/null || echo /)")"; do
        [[ -x $directory/initdb && -x $directory/postgres ]] || continue
        echo "$directory"
        return
    done
    return 1
}

# A cluster in DIRECTORY that ends with this shell, whatever kills it. It listens on a unix socket
# in that directory (port: $postgres_port, or 5432), and nowhere else unless a SETTING says so. USER
# owns a database of the same name. Sets postgres_pid.
postgres_start() # DIRECTORY USER PASSWORD [SETTING]...
{
    local directory=$1 user=$2 password=$3 port=${postgres_port:-5432} programs owner demoted=(setpriv)
    local client=(env -i "PATH=$PATH" "PGHOST=$1" "PGPORT=$port" "PGUSER=$2" "PGPASSWORD=$3" PGCONNECT_TIMEOUT=10)
    shift 3
    programs=$(postgres_programs) || die "no PostgreSQL server programs found (Debian: postgresql-15)"
    if ((EUID == 0)); then # PostgreSQL refuses to run as root
        owner=$(id -un postgres 2>/dev/null || echo nobody)
        demoted+=("--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups)
        chown "$owner" "$directory"
        "${demoted[@]}" test -w "$directory" ||
            die "user $owner cannot write to $directory: set TMPDIR to a place where it can"
    fi

    printf '%s\n' "$password" >"$directory/password"
    chown --reference="$directory" "$directory/password"
    "${demoted[@]}" "$programs/initdb" --pgdata="$directory/data" --username="$user" \
        --auth=scram-sha-256 --pwfile="$directory/password" --encoding=UTF8 --locale=C.UTF-8 \
        --no-sync >"$directory/log" 2>&1 || die "initdb failed: $(tail -5 "$directory/log")"
    rm "$directory/password"
    printf '%s\n' "listen_addresses = ''" "port = $port" "unix_socket_directories = '$directory'" \
        'fsync = off' "$@" >>"$directory/data/postgresql.conf"

    # A session of its own: Ctrl-C is for the script, which stops us in the right order.
    (cd "$directory" && exec setsid "${demoted[@]}" --pdeathsig INT \
        "$programs/postgres" -D "$directory/data") >>"$directory/log" 2>&1 </dev/null &
    postgres_pid=$!
    local deadline=$((SECONDS + 60))
    until "${client[@]}" "$programs/pg_isready" -q; do
        if ! kill -0 "$postgres_pid" 2>/dev/null || ((SECONDS > deadline)); then
            die "PostgreSQL did not start: $(tail -5 "$directory/log")"
        fi
        sleep 0.1
    done
    "${client[@]}" "$programs/createdb" "$user" || die "no database: $(tail -5 "$directory/log")"
}

postgres_stop()
{
    [[ ${postgres_pid:-} ]] || return 0
    kill -INT "$postgres_pid" 2>/dev/null # "fast": ends its sessions
    wait "$postgres_pid" 2>/dev/null
    postgres_pid=
}
