#!/usr/bin/env bash
# Installs what is missing, then runs other projects' test suites through pgweir: see README.md
# beside this file, and --help.
set -uo pipefail
# shellcheck source=SCRIPTDIR/../../deploy/common.sh
source "$(dirname "$0")/../../deploy/common.sh"

case " $* " in
    *" -h "* | *" --help "*) ;;
    *) install_packages postgres psql drivers suites ;;
esac
exec nice -n "${NICE:-10}" python3 -B "$root/tests/suites/main.py" "$@"
