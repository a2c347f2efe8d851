#!/usr/bin/env bash
# Installs what is missing, then counts: see bench/README.md and --help.
set -uo pipefail
# shellcheck source=SCRIPTDIR/../deploy/common.sh
source "$(dirname "$0")/../deploy/common.sh"

install_packages build postgres psql bench profile
exec python3 -B "$root/bench/counts.py" syscalls "$@"
