#!/usr/bin/env bash
# Installs the independent programs that check what hatch-sign writes.
#
#   bash tests/peers/install.sh [browser] [codesigning] [cosign] [js] [loopback] [sigstore-python] [tokens] [tools]
#
# No argument means all of them. Everything lands in one cache folder outside the checkout:
# $HATCH_SIGN_PEERS, else $XDG_CACHE_HOME/hatch-sign-peers, else ~/.cache/hatch-sign-peers.
# Each peer is installed once per pinned version. A stamp naming the pins is written last, so a run that is
# killed half-way leaves no stamp, and the next run starts that peer afresh.
# The tokens and some of the programs for code signing are Debian packages, which go where Debian puts them: for these
# it needs to be root, or sudo.
# Packages come from whatever Go proxy and Maven, npm and Python indexes the machine is configured to use.
set -euo pipefail

COSIGN_VERSION=v3.1.3
# The newest releases of @sigstore/* that still support Node 20.
JS_PACKAGES=(@sigstore/verify@3.1.1 @sigstore/sign@4.1.0 @sigstore/bundle@4.0.0 @sigstore/protobuf-specs@0.5.2)
LOOPBACK_PACKAGES=(
  @sigstore/mock@0.12.1 @tufjs/repo-mock@4.0.2 @sigstore/protobuf-specs@0.5.2
  pkijs@3.4.3 asn1js@3.1.0 canonicalize@2.1.0
)
SIGSTORE_PYTHON_VERSION=4.5.1
NODE_MINIMUM=20
# SoftHSM, p11-kit, openCryptoki, a software TPM and what lies between it and PKCS#11, and OpenSC to look at them all.
TOKEN_PACKAGES=(
  softhsm2 p11-kit p11-kit-modules opencryptoki opensc strace util-linux
  swtpm tpm2-tools tpm2-abrmd libtss2-tcti-tabrmd0 libtss2-tcti-swtpm0 dbus libtpm2-pkcs11-1 libtpm2-pkcs11-tools
)
# osslsigncode 2.5, as in Debian 12, suffices.
CODESIGNING_PACKAGES=(faketime gcab openssl osslsigncode wixl)
# A browser looks at reports; without a font it would look at boxes.
BROWSER_PACKAGES=(chromium fonts-dejavu-core)
JSIGN_VERSION=7.4
MAVEN_COPY=org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy
# Programs for Windows: extension modules, launchers with an archive behind them, and libraries that Microsoft signed.
CORPUS_PYTHON=3.12
CORPUS=(
  any:distlib==0.4.4 any:pip==26.3 any:setuptools==84.2.1
  win_amd64:numpy==2.3.5 win32:numpy==2.3.5 win_arm64:numpy==2.3.5
  win_amd64:msvc-runtime==14.51.36231 win_arm64:msvc-runtime==14.51.36231
  win_amd64:debugpy==1.8.22 win_amd64:pywin32==312
)

cache=${HATCH_SIGN_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/hatch-sign-peers}
python=${HATCH_SIGN_PEERS_PYTHON:-python3}

say() { printf 'install.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# need PROGRAM HINT: stops unless PROGRAM is on the path, saying where it comes from.
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is not on the path: $2"; }

need_node() {
  need node "install it with 'apt-get install nodejs' or from your Node version manager"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  ((major >= NODE_MINIMUM)) || die "node is version $major, $NODE_MINIMUM or newer is needed"
}

# fresh STAMP PINS PROBE...: true when STAMP records exactly PINS and the PROBE command succeeds.
fresh() {
  local stamp=$1 pins=$2
  shift 2
  [[ -f $stamp && $(<"$stamp") == "$pins" ]] && "$@" >/dev/null 2>&1
}

# write_stamp STAMP PINS: records the pins in one atomic step.
write_stamp() {
  printf '%s\n' "$2" >"$1.new"
  mv -f "$1.new" "$1"
}

install_cosign() {
  local stamp=$cache/bin/cosign.pins
  if fresh "$stamp" "$COSIGN_VERSION" "$cache/bin/cosign" version; then
    say "cosign $COSIGN_VERSION is already there"
    return
  fi
  need go "install Go 1.26 or newer ('apt-get install golang-go' where the distribution is recent enough)"
  say "building cosign $COSIGN_VERSION: this takes minutes, once"
  mkdir -p "$cache/bin"
  rm -f "$stamp"
  GOBIN=$cache/bin GOFLAGS="${GOFLAGS:-} -trimpath" \
    go install "github.com/sigstore/cosign/v3/cmd/cosign@$COSIGN_VERSION"
  "$cache/bin/cosign" version >/dev/null
  write_stamp "$stamp" "$COSIGN_VERSION"
}

# install_npm FOLDER PACKAGE@VERSION...: a node_modules of exactly these packages in the cache.
install_npm() {
  local folder=$cache/$1 stamp=$cache/$1/pins pins
  shift
  pins=$*
  need_node
  if fresh "$stamp" "$pins" test -d "$folder/node_modules"; then
    say "${folder##*/} is already there"
    return
  fi
  need npm "install it with 'apt-get install npm' or from your Node version manager"
  rm -rf "$folder"
  mkdir -p "$folder"
  printf '{"private": true}\n' >"$folder/package.json"
  npm install --prefix "$folder" --save-exact --ignore-scripts --no-audit --no-fund --no-package-lock \
    --loglevel=error "$@" >&2
  write_stamp "$stamp" "$pins"
}

install_sigstore_python() {
  local folder=$cache/sigstore-python stamp=$cache/sigstore-python/pins
  if fresh "$stamp" "$SIGSTORE_PYTHON_VERSION" "$folder/bin/sigstore" --version; then
    say "sigstore $SIGSTORE_PYTHON_VERSION is already there"
    return
  fi
  need "$python" "install it with 'apt-get install python3 python3-venv', or set HATCH_SIGN_PEERS_PYTHON"
  rm -rf "$folder"
  mkdir -p "$cache"
  "$python" -m venv "$folder" || die "no venv module: install it with 'apt-get install python3-venv'"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "sigstore==$SIGSTORE_PYTHON_VERSION" >&2
  "$folder/bin/sigstore" --version >/dev/null
  write_stamp "$stamp" "$SIGSTORE_PYTHON_VERSION"
}

# install_debian WHAT PACKAGE...: Debian packages, as root or by sudo.
install_debian() {
  local what=$1 package
  local -a missing=() as_root=()
  shift
  command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 \
    || die "there is no apt-get here: install what Debian calls $*"
  for package in "$@"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    say "$what are already there"
    return
  fi
  if ((EUID != 0)); then
    need sudo "run this as root, or install ${missing[*]} yourself"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
}

install_codesigning() {
  local folder=$cache/codesigning stamp=$cache/codesigning/pins pins="$JSIGN_VERSION $CORPUS_PYTHON ${CORPUS[*]}" wheel
  local -a for_windows
  install_debian "the programs for code signing" "${CODESIGNING_PACKAGES[@]}"
  need java "install it with 'apt-get install default-jre-headless'"
  if fresh "$stamp" "$pins" java -jar "$folder/jsign.jar" --help; then
    say "jsign $JSIGN_VERSION and the corpus are already there"
    return
  fi
  need mvn "install it with 'apt-get install maven'"
  need "$python" "install it with 'apt-get install python3 python3-venv', or set HATCH_SIGN_PEERS_PYTHON"
  rm -rf "$folder"
  mkdir -p "$folder/wheels"
  mvn --batch-mode --quiet "$MAVEN_COPY" "-Dartifact=net.jsign:jsign:$JSIGN_VERSION" "-DoutputDirectory=$folder" >&2
  mv "$folder/jsign-$JSIGN_VERSION.jar" "$folder/jsign.jar"
  # Debian splits pip from venv: what makes an environment brings a pip along.
  "$python" -m venv "$folder/pip" || die "no venv module: install it with 'apt-get install python3-venv'"
  for wheel in "${CORPUS[@]}"; do
    for_windows=(--platform "${wheel%%:*}")
    [[ ${wheel%%:*} == any ]] && for_windows=()
    "$folder/pip/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
      --python-version "$CORPUS_PYTHON" "${for_windows[@]}" --dest "$folder/wheels" "${wheel#*:}" >&2
  done
  rm -rf "$folder/pip"
  write_stamp "$stamp" "$pins"
}

check_tools() {
  need openssl "install it with 'apt-get install openssl'"
  need_node
}

# Two runs at once would delete each other's folders. The lock dies with the run that holds it.
lock_cache() {
  mkdir -p "$cache"
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$cache/lock"
    flock 9
  fi
}

main() {
  (($# > 0)) || set -- tools js loopback sigstore-python cosign tokens codesigning browser
  local peer
  for peer in "$@"; do
    case $peer in
      browser | codesigning | cosign | js | loopback | sigstore-python | tokens | tools) ;;
      *) say "unknown peer '$peer': choose among browser, codesigning, cosign, js, loopback, sigstore-python, tokens, tools"; exit 2 ;;
    esac
  done
  lock_cache
  for peer in "$@"; do
    case $peer in
      browser) install_debian "the browser" "${BROWSER_PACKAGES[@]}" ;;
      codesigning) install_codesigning ;;
      cosign) install_cosign ;;
      js) install_npm sigstore-js "${JS_PACKAGES[@]}" ;;
      loopback) install_npm loopback-sigstore "${LOOPBACK_PACKAGES[@]}" ;;
      sigstore-python) install_sigstore_python ;;
      tokens) install_debian "the tokens" "${TOKEN_PACKAGES[@]}" ;;
      tools) check_tools ;;
    esac
  done
  say "done, in $cache"
}

main "$@"
