#!/usr/bin/env bash
# Installs what is missing, then measures: see bench/README.md and --help.
set -uo pipefail
# shellcheck source=SCRIPTDIR/../deploy/common.sh
source "$(dirname "$0")/../deploy/common.sh"

install_packages build postgres psql bench
exec python3 -B "$root/bench/run.py" "$@"
