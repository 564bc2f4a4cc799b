#!/usr/bin/env bash
# Chooses what the action installs, with the digest of every file that a package index may hand over for it.
#
#   bash action/requirements/compile.sh [--upgrade]
#
# One list for hatch-sign and one for each set of plugins, complete in itself; the versions agree in all of them, so that
# any sets can be installed together. Needs uv, and whatever package index it is configured to use.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

lists=action/requirements
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile LIST ARGUMENTS...: what is asked for, and what that needs, for every system and Python that the action runs on.
compile() {
  local list=$1
  shift
  uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --no-binary hatch-sign \
    --generate-hashes --no-header --no-annotate --no-emit-package hatch-sign --output-file "$list" "$@"
}

kms=plugins/hatch-sign-kms/pyproject.toml
services=plugins/hatch-sign-services/pyproject.toml
all=(pyproject.toml plugins/*/pyproject.toml --all-extras)

# Without --upgrade, what is listed already stays.
[[ ${1:-} == --upgrade ]] || cat "$lists"/*.txt 2>/dev/null | grep -E '^[a-z]' | sed 's/ \\$//' | sort -u >"$work/listed" || true
touch "$work/listed"
compile "$work/all" "${all[@]}" --constraint "$work/listed"
grep -E '^[a-z]' "$work/all" | sed 's/ \\$//' >"$work/chosen"

list() {
  local name=$1
  shift
  rm -f "$lists/$name.txt"
  compile "$lists/$name.txt" "$@" --constraint "$work/chosen"
}

list hatch-sign pyproject.toml
list upload pyproject.toml --extra upload
list authenticode plugins/hatch-sign-authenticode/pyproject.toml
list kms-aws "$kms" --extra aws
list kms-azure "$kms" --extra azure
list kms-google "$kms" --extra google
list kms-vault "$kms" --extra vault
list pkcs11 plugins/hatch-sign-pkcs11/pyproject.toml
list services "$services"
list services-azure "$services" --extra azure
list sigstore plugins/hatch-sign-sigstore/pyproject.toml
