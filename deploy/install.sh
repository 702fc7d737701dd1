#!/bin/sh
# Installs Portcullis on Debian 12 or Ubuntu 24.04 and newer. README.md beside this file tells what goes where.
#
# Run it again after an update, or to mend what is missing: what is right already stays untouched, and a file that the operator
# has changed is kept (a newer version of ours is then put beside it as FILE.new).
#
# Exit codes: 0 installed, 2 wrong arguments, 3 this machine will not do; the message says why.
set -eu

usage() {
    cat <<'USAGE'
usage: install.sh [--binary FILE] [--host NAME] [--root DIR]

  --binary FILE  the portcullis binary [default: the one beside this script, else target/release/portcullis]
  --host NAME    the name browsers reach this machine under [default: the one installed before, else `hostname -f`]
  --root DIR     install into the Debian or Ubuntu system in DIR instead of this one, for images
USAGE
}

say() { printf '%s\n' "$*"; }
fail() {
    code=$1
    shift
    printf 'install.sh: %s\n' "$*" >&2
    exit "$code"
}

# ---- arguments

here=$(cd "$(dirname "$0")" && pwd)
binary=
host=
root=
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage && exit 0 ;;
        --binary | --host | --root)
            [ $# -ge 2 ] || fail 2 "$1 needs a value"
            case $1 in
                --binary) binary=$2 ;;
                --host) host=$2 ;;
                --root) root=${2%/} ;;
            esac
            shift 2
            ;;
        *)
            usage >&2
            fail 2 "unknown argument: $1"
            ;;
    esac
done

# ---- this machine

[ "$(id -u)" -eq 0 ] || fail 3 "must be run as root"
[ -z "$root" ] || [ -d "$root" ] || fail 3 "no such directory: $root"

os_value() { sed -n "s/^$1=//p" "$root/etc/os-release" | tr -d '"' | head -n 1; }
[ -r "$root/etc/os-release" ] || fail 3 "no $root/etc/os-release: only Debian 12 and Ubuntu 24.04 or newer are known"
distribution=$(os_value ID)
release=$(os_value VERSION_ID)
case $distribution in
    debian) oldest=12 ;;
    ubuntu) oldest=24.04 ;;
    *) fail 3 "unknown distribution: ${distribution:-none}; only Debian 12 and Ubuntu 24.04 or newer are known" ;;
esac
# A release without a number is one that is still being made, and newer.
if [ -n "$release" ] && [ "$(printf '%s\n%s\n' "$oldest" "$release" | sort -V | head -n 1)" != "$oldest" ]; then
    fail 3 "$distribution $release is too old: $oldest or newer is needed"
fi
for path in /etc/systemd/system /usr/lib/systemd/system; do
    [ -d "$root$path" ] || fail 3 "no systemd: $root$path is missing, and the roles run as its units"
done

if [ -z "$binary" ]; then
    for binary in "$here/portcullis" "$here/../target/release/portcullis"; do
        [ ! -f "$binary" ] || break
    done
fi
[ -f "$binary" ] || fail 3 "no binary at $binary: build one with cargo build --release, or name it with --binary"
version=$("$binary" --version 2>/dev/null) || fail 3 "$binary does not run on this machine"

for file in README.md portcullis.toml signer.toml nginx/portcullis.conf systemd/portcullis.target systemd/tmpfiles.conf systemd/backoff.conf; do
    [ -f "$here/$file" ] || fail 3 "$here/$file is missing: copy the whole deploy folder"
done

environment=$root/etc/portcullis/console.env
if [ -z "$host" ] && [ -f "$environment" ]; then
    host=$(sed -n 's|^PORTCULLIS_ORIGIN=https://||p' "$environment" | head -n 1)
fi
[ -n "$host" ] || host=$(hostname -f 2>/dev/null || hostname)
case $host in
    '' | *[!A-Za-z0-9.-]* | .* | -*) fail 2 "--host $host: not a host's name" ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
umask 077

# ---- what was done

changed=0
units_changed=0
site_changed=0
note() {
    printf '%-10s %s\n' "$1" "$2"
    case $1 in unchanged | kept) ;; *) changed=$((changed + 1)) ;; esac
}

# The hash of every file as it was shipped, to tell an operator's change from an older version of ours.
ledger=$root/etc/portcullis/installed.sha256
hash_of() { sha256sum "$1" | cut -d ' ' -f 1; }
shipped() { [ ! -f "$ledger" ] || awk -v path="$1" '$2 == path { print $1 }' "$ledger"; }
remember() {
    [ "$(shipped "$1")" != "$2" ] || return 0
    { [ ! -f "$ledger" ] || awk -v path="$1" '$2 != path' "$ledger"; } >"$scratch/ledger"
    printf '%s  %s\n' "$2" "$1" >>"$scratch/ledger"
    LC_ALL=C sort -k 2 "$scratch/ledger" >"$scratch/ledger.sorted"
    write "$scratch/ledger.sorted" "$ledger" 0600 root root
}

# Users and groups by the numbers of the system installed into.
user_id() { sed -n "s/^$1:[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/passwd"; }
group_id() { sed -n "s/^$1:[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/group"; }

# own PATH MODE USER GROUP: false when it was so already.
own() {
    wanted="$(printf '%o' "0$2") $(user_id "$3") $(group_id "$4")"
    [ "$(stat -c '%a %u %g' "$1")" != "$wanted" ] || return 1
    chown "$(user_id "$3"):$(group_id "$4")" "$1"
    chmod "$2" "$1"
}

# write SOURCE TARGET MODE USER GROUP: all or nothing.
write() {
    cp "$1" "$2.part"
    own "$2.part" "$3" "$4" "$5" || true
    mv "$2.part" "$2"
}

# directory PATH MODE USER GROUP
directory() {
    if [ ! -d "$root$1" ]; then
        (umask 022 && mkdir -p "$root$1")
        own "$root$1" "$2" "$3" "$4" || true
        note created "$1/"
    elif own "$root$1" "$2" "$3" "$4"; then
        note mended "$1/ (mode and owner)"
    else
        note unchanged "$1/"
    fi
}

# file SOURCE PATH MODE USER GROUP: installs a file of ours. The result stands in $outcome too.
file() {
    target=$root$2
    new=$(hash_of "$1")
    old=$(shipped "$2")
    outcome=unchanged
    if [ ! -e "$target" ]; then
        outcome=created
    elif [ "$(hash_of "$target")" = "$new" ]; then
        own "$target" "$3" "$4" "$5" && outcome=mended
    elif [ "$(hash_of "$target")" = "$old" ]; then
        outcome=updated
    elif [ "$new" = "$old" ]; then
        note kept "$2 (changed here)"
        return
    else
        write "$1" "$target.new" "$3" "$4" "$5"
        remember "$2" "$new"
        outcome=new
        note "new" "$2.new (yours is kept: compare them)"
        return
    fi
    case $outcome in created | updated) write "$1" "$target" "$3" "$4" "$5" ;; esac
    remember "$2" "$new"
    note "$outcome" "$2"
}

# once SOURCE PATH MODE USER GROUP: makes a file that is the operator's from then on.
once() {
    if [ -e "$root$2" ]; then
        note unchanged "$2"
    else
        write "$1" "$root$2" "$3" "$4" "$5"
        note created "$2"
    fi
}

say "Portcullis: $version into ${root:-this system} ($distribution $release), host $host"

# ---- users

# The signer's is another one, so that nobody else can look into the process that holds the trade key.
for user in portcullis portcullis-signer; do
    if [ -n "$(user_id $user)" ]; then
        note unchanged "user $user"
    else
        useradd ${root:+--root "$root"} --system --user-group --no-create-home --home-dir /var/lib/portcullis \
            --shell /usr/sbin/nologin --comment "Portcullis" $user
        note created "user $user"
    fi
done

# ---- directories

directory /etc/portcullis 0750 root portcullis
directory /etc/portcullis/tls 0700 root root
directory /etc/credstore.encrypted 0700 root root
directory /var/lib/portcullis 0750 portcullis portcullis
for part in bundles incoming journal sentinel; do
    directory /var/lib/portcullis/$part 0750 portcullis portcullis
done
directory /var/lib/portcullis/keys 0700 portcullis portcullis
directory /var/lib/portcullis-console 0750 portcullis portcullis
directory /var/lib/portcullis-console/incoming 0750 portcullis portcullis
directory /var/lib/portcullis-paper 0750 portcullis portcullis
directory /usr/local/share/doc/portcullis 0755 root root

# ---- binary and documentation

file "$binary" /usr/local/bin/portcullis 0755 root root
binary_outcome=$outcome
file "$here/README.md" /usr/local/share/doc/portcullis/README.md 0644 root root

# ---- configuration and limits

file "$here/portcullis.toml" /etc/portcullis/portcullis.toml 0640 root portcullis
file "$here/signer.toml" /etc/portcullis/signer.toml 0600 root root
"$binary" limits template >"$scratch/limits.toml"
file "$scratch/limits.toml" /var/lib/portcullis/limits.toml 0640 root portcullis
{
    say "# Where browsers reach the console. Requests for another host, or from another origin, are refused."
    say "PORTCULLIS_ORIGIN=https://$host"
} >"$scratch/console.env"
file "$scratch/console.env" /etc/portcullis/console.env 0640 root portcullis

# Keys of the paper exchange, worth nothing elsewhere: the gateway's and the signer's, and both once more for the exchange.
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
for name in read trade; do
    printf 'key = "paper-%s"\nsecret = "%s"\n' "$name" "$(secret)" >"$scratch/$name.toml"
done
once "$scratch/read.toml" /var/lib/portcullis/keys/read.toml 0600 portcullis portcullis
# Before there was a signer the gateway had the key that trades.
before=$root/var/lib/portcullis/keys/trade.toml
if [ -f "$before" ]; then
    [ -e "$root/etc/portcullis/paper-trade.toml" ] || write "$before" "$root/etc/portcullis/paper-trade.toml" 0600 root root
    rm "$before"
    note moved "/var/lib/portcullis/keys/trade.toml to /etc/portcullis/paper-trade.toml"
fi
once "$scratch/trade.toml" /etc/portcullis/paper-trade.toml 0600 root root
{
    say "[[account]]"
    cat "$root/var/lib/portcullis/keys/read.toml"
    say "read_only = true"
    say "[[account]]"
    cat "$root/etc/portcullis/paper-trade.toml"
    say "read_only = false"
} >"$scratch/paper-keys.toml"
once "$scratch/paper-keys.toml" /etc/portcullis/paper-keys.toml 0600 root root

# ---- units

for unit in "$here"/systemd/portcullis*.service "$here"/systemd/portcullis*.socket "$here"/systemd/portcullis.target; do
    file "$unit" "/etc/systemd/system/${unit##*/}" 0644 root root
    case $outcome in created | updated) units_changed=1 ;; esac
done
systemd=$(${root:+chroot "$root"} systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
if [ "${systemd:-0}" -ge 254 ]; then
    for role in paper signer runner sentinel gateway console; do
        directory "/etc/systemd/system/portcullis-$role.service.d" 0755 root root
        file "$here/systemd/backoff.conf" "/etc/systemd/system/portcullis-$role.service.d/10-backoff.conf" 0644 root root
        case $outcome in created | updated) units_changed=1 ;; esac
    done
fi
directory /etc/tmpfiles.d 0755 root root
file "$here/systemd/tmpfiles.conf" /etc/tmpfiles.d/portcullis.conf 0644 root root

# ---- nginx

certificate=
if [ -d "$root/etc/nginx/sites-available" ]; then
    if [ -e "$root/etc/portcullis/tls/cert.pem" ]; then
        note unchanged /etc/portcullis/tls/cert.pem
    else
        command -v openssl >/dev/null || fail 3 "openssl is needed to make a certificate: apt-get install openssl, or put one into /etc/portcullis/tls (cert.pem, key.pem)"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 397 -subj "/CN=$host" \
            -addext "subjectAltName=DNS:$host" -keyout "$scratch/key.pem" -out "$scratch/cert.pem" 2>"$scratch/openssl" ||
            fail 3 "openssl could not make a certificate: $(cat "$scratch/openssl")"
        write "$scratch/key.pem" "$root/etc/portcullis/tls/key.pem" 0600 root root
        write "$scratch/cert.pem" "$root/etc/portcullis/tls/cert.pem" 0644 root root
        note created "/etc/portcullis/tls/cert.pem (signed by itself)"
        certificate=self-signed
    fi
    sed "s/portcullis\.example\.org/$host/g" "$here/nginx/portcullis.conf" >"$scratch/portcullis.conf"
    file "$scratch/portcullis.conf" /etc/nginx/sites-available/portcullis.conf 0644 root root
    case $outcome in created | updated) site_changed=1 ;; esac
    if [ "$outcome" = created ] && [ ! -e "$root/etc/nginx/sites-enabled/portcullis.conf" ]; then
        ln -s ../sites-available/portcullis.conf "$root/etc/nginx/sites-enabled/portcullis.conf"
        note created /etc/nginx/sites-enabled/portcullis.conf
        # The distribution's welcome page claims the default server, which is ours to refuse strangers with.
        if [ -L "$root/etc/nginx/sites-enabled/default" ]; then
            rm "$root/etc/nginx/sites-enabled/default"
            note removed "/etc/nginx/sites-enabled/default (a link; the file is still in sites-available)"
        fi
    fi
    nginx=present
else
    nginx=
fi

# ---- a running system takes notice

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    systemd-tmpfiles --create /etc/tmpfiles.d/portcullis.conf
    [ "$units_changed" -eq 0 ] || systemctl daemon-reload
fi

# ---- what is next

say
if [ "$changed" -eq 0 ]; then
    say "Nothing to do: everything is installed as it should be."
    exit 0
fi
say "What to do next (README.md explains each step):"
[ -n "$nginx" ] || say "  apt-get install nginx, then run this again: the console is reached through it"
[ -z "$certificate" ] || say "  put a real certificate into /etc/portcullis/tls; browsers warn of the one that signs itself"
[ "$site_changed" -eq 0 ] || say "  nginx -t && systemctl reload nginx"
if [ "$binary_outcome" = updated ]; then
    say "  systemctl restart portcullis.target"
else
    say "  read /var/lib/portcullis/limits.toml, /etc/portcullis/portcullis.toml and /etc/portcullis/signer.toml, and make them yours"
    say "  portcullis keys trust NAME.pub --owner NAME --env paper"
    say "  systemctl enable --now portcullis-paper.service portcullis.target"
fi
