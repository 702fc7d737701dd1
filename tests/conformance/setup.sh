#!/usr/bin/env bash
# Installs the third-party clients at their pinned versions, in a cache folder outside the repository, unless they are there.
# Prints the folder: `python/bin/python` has pybit and ccxt, `node` has bybit-api.
set -euo pipefail
cd "$(dirname "$0")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/portcullis-conformance
pins=$({ cat requirements.txt package-lock.json; python3 -V; node -v; } | sha256sum | cut -c1-16)
folder=$cache/$pins
mkdir -p "$cache"

# One at a time; a folder without the mark is a set-up that was interrupted.
exec 9>"$cache/lock"
flock 9
if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    mkdir -p "$folder/node"
    {
        python3 -m venv "$folder/python"
        "$folder/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
            --requirement requirements.txt
        cp package.json package-lock.json "$folder/node/"
        npm --prefix "$folder/node" ci --silent --no-audit --no-fund --ignore-scripts
    } >&2
    touch "$folder/complete"
fi
echo "$folder"
