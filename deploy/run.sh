#!/usr/bin/env bash
# shellcheck disable=SC2317 # functions that only traps call
# Installs what is missing, builds pgweir and runs it in front of DATABASE_URL, or of a throw-away
# PostgreSQL when that is not set. Ctrl-C ends it and removes everything that it started.
#
#   [DATABASE_URL=postgresql://user:password@host/db] deploy/run.sh [arguments for pgweir]
#
# BINARY=/path/to/pgweir runs that program instead of building one.
set -uo pipefail
# shellcheck source=SCRIPTDIR/common.sh
source "$(dirname "$0")/common.sh"

usage() { sed -n '3,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; }
case ${1:-} in -h | --help) usage; exit ;; esac

workspace=
child=     # whatever runs in a session of its own just now
signalled= # since the last look
stopping=  # ever

clean_up()
{
    trap '' INT TERM HUP
    if [[ $child ]]; then
        end_child
        wait "$child" 2>/dev/null
    fi
    postgres_stop
    [[ $workspace ]] && rm -rf "$workspace"
}

# Not in our process group, so that Ctrl-C reaches it once, through forward(), and in time: bash
# runs no trap while it waits for a command in the foreground.
run_beside() # COMMAND...
{
    local status
    setsid setpriv --pdeathsig TERM "$@" &
    child=$!
    trap forward INT TERM HUP
    while
        signalled=
        wait "$child"
        status=$?
        [[ $signalled ]]
    do :; done
    child=
    exit_when_signalled
    return "$status"
}

forward()
{
    signalled=1 stopping=1
    end_child
}

end_child()
{
    kill -TERM -- "-$child" 2>/dev/null || kill -TERM "$child" 2>/dev/null # no session yet
}

exit_when_signalled()
{
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

build()
{
    local options=(--preset release)
    [[ -f $root/build/release/CMakeCache.txt ]] || options+=(-DPGWEIR_TESTS=OFF)
    run_beside env -C "$root" cmake "${options[@]}" &&
        run_beside env -C "$root" cmake --build --preset release --target pgweir
}

# The last value of --NAME among the arguments for pgweir, else DEFAULT.
argument() # NAME DEFAULT ARGUMENT...
{
    local name=$1 value=$2
    shift 2
    while (($#)); do
        case $1 in
            "--$name") value=${2:-} ;;
            "--$name="*) value=${1#*=} ;;
        esac
        shift
    done
    printf '%s' "$value"
}

is_busy() # HOST:PORT
{
    [[ $1 == *:* ]] && (exec 3<>"/dev/tcp/$(host_of "$1")/${1##*:}") 2>/dev/null
}

host_of() # HOST:PORT, as a client on this machine would say it
{
    local host=${1%:*}
    host=${host#[}
    host=${host%]}
    case $host in '' | 0.0.0.0 | '*' | ::) host=127.0.0.1 ;; esac
    printf '%s' "$host"
}

# What to type, without the password of somebody's real database.
connection_string()
{
    local login=$user${password:+:$password} port=${listen##*:} host
    host=$(host_of "$listen")
    login=${login:+$login@}
    [[ $host == *:* ]] && host="[$host]"
    [[ $port =~ ^[0-9]+$ ]] || port=6432
    case $listen in
        /*) printf 'postgresql://%s/%s?host=%s&port=%s' "$login" "$database" "${listen%:*}" "$port" ;;
        *) printf 'postgresql://%s%s:%s/%s' "$login" "$host" "$port" "$database" ;;
    esac
}

# User and database of a connection string, only to print them.
read_upstream() # URL
{
    local pattern='^postgres(ql)?://(([^:@/?]*)(:[^@/]*)?@)?[^/?]*(/([^?]*))?(\?.*)?$'
    if [[ $1 =~ $pattern ]]; then
        user=${BASH_REMATCH[3]} database=${BASH_REMATCH[6]}
    else
        user=$(sed -nE "s/.*\\buser *= *'?([^' ]+).*/\\1/p" <<<"$1")
        database=$(sed -nE "s/.*\\bdbname *= *'?([^' ]+).*/\\1/p" <<<"$1")
    fi
    user=${user:-${PGUSER:-$(id -un)}} database=${database:-$user}
}

greet()
{
    local url
    url=$(connection_string)
    say ""
    say "  pgweir is ready in front of $upstream_name"
    say "    connect   $url"
    [[ $upstream ]] && say "              with the password of that database"
    [[ $http ]] && say "    metrics   http://$(host_of "$http"):${http##*:}/metrics"
    say "    try       psql '$url' -c 'select version()'"
    say "    stop      Ctrl-C"
    say ""
}

# pgweir's log goes through here, so that the greeting comes behind the line that says "ready". The
# first TCP address is the one to print: a file or port 0 may have chosen it.
pass_log()
{
    trap '' INT TERM HUP
    local line seen=''
    while IFS= read -r line; do
        printf '%s\n' "$line" >&2
        if [[ ! $seen && $line =~ event\"?[=:]\"?listening.*address\"?[=:]\"?([^/\ \",]+:[0-9]+) ]]; then
            listen=${BASH_REMATCH[1]} seen=1
        elif [[ $line =~ event\"?[=:]\"?ready ]]; then
            greet
        fi
    done
}

trap clean_up EXIT
exit_when_signalled

config=$(argument config "${PGWEIR_CONFIG:-}" "$@")
upstream=$(argument upstream "${PGWEIR_UPSTREAM:-${DATABASE_URL:-}}" "$@")
listen=$(argument listen "${PGWEIR_LISTEN:-127.0.0.1:6432}" "$@")
listen=${listen%%,*}
http=$(argument http "${PGWEIR_HTTP-127.0.0.1:9930}" "$@")
if [[ ! $config ]]; then # a file has its own addresses
    is_busy "$listen" && die "$listen is in use. Choose another: $0 --listen 127.0.0.1:6433"
    is_busy "$http" && die "$http (metrics) is in use. Choose another: $0 --http 127.0.0.1:9931"
fi

purposes=(psql)
[[ ${BINARY:-} ]] || purposes+=(build)
[[ $upstream$config ]] || postgres_programs >/dev/null || purposes+=(postgres)
install_packages "${purposes[@]}"

if [[ ! ${BINARY:-} ]]; then
    build >&2 || { [[ $stopping ]] && exit 130; die "the build failed"; }
    BINARY=$root/build/release/pgweir
fi
[[ -x $BINARY ]] || die "$BINARY is not a program"

user='' database='' password=''
if [[ $upstream ]]; then
    upstream_name="your database"
    read_upstream "$upstream"
elif [[ $config ]]; then
    upstream_name="the databases of $config"
else
    upstream_name="a throw-away PostgreSQL"
    workspace=$(mktemp -d "${TMPDIR:-/tmp}/pgweir.XXXXXX") || die "no temporary directory"
    user=app database=app password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
    postgres_start "$workspace" "$user" "$password"
    # In the environment and not in an argument: those are for everybody to see.
    export DATABASE_URL="postgresql://$user:$password@/$database?host=$workspace&port=5432"
fi

exec {log}> >(pass_log)
pass_log_pid=$!
run_beside "$BINARY" "$@" 2>&"$log" {log}>&-
status=$?
exec {log}>&-
wait "$pass_log_pid"
exit "$status"
