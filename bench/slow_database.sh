#!/usr/bin/env bash
# Installs what is missing, then shows what a slow database does to those who do not use its slow
# part: see bench/README.md and --help.
set -uo pipefail
# shellcheck source=SCRIPTDIR/../deploy/common.sh
source "$(dirname "$0")/../deploy/common.sh"

install_packages build postgres psql bench
exec python3 -B "$root/bench/slow_database.py" "$@"
