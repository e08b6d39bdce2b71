#!/bin/bash
# The commands of the README on a machine that has nothing: makes a Debian 12 root with debootstrap,
# copies the tree into it, and runs there, as root, tests/run.sh, examples/demo.sh (twice: the second
# time goes straight to training), examples/demo_word2vec.sh and examples/demo_translation.sh. Slow; needs root, debootstrap and network.
#
#   tests/fresh.sh [--keep FOLDER] [COMMAND...]
#
# --keep leaves the root in FOLDER, which must not exist. A COMMAND replaces them. Mirror, keys,
# name servers and certificates are those that this machine uses.
set -euo pipefail

if [ "${RNNKIT_FRESH_INSIDE:-}" != 1 ]; then # mounts below are gone when this process is
    RNNKIT_FRESH_INSIDE=1 exec unshare --mount --propagation private -- "$0" "$@"
fi
source=$(cd "$(dirname "$0")/.." && pwd)
release=bookworm

if [ "${1:-}" = --keep ]; then
    folder=$2
    shift 2
    mkdir "$folder"
else
    folder=$(mktemp -d)
    trap 'umount -l "$folder"/root/{proc,sys,dev} 2>/dev/null || true
        rm -rf --one-file-system "$folder"' EXIT
fi
root=$folder/root

# the release's archives among those that apt uses here: "URI suite component" a line
archives=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' | grep " $release" | sort -u || true)
mirror=$(awk -v release="$release" '$2 == release { print $1; exit }' <<<"$archives")
[ -n "$mirror" ] || { echo "apt knows no archive of $release here" >&2; exit 1; }

echo "== a root of Debian $release"
debootstrap --variant=minbase "$release" "$root" "$mirror" >"$folder/debootstrap.log" ||
    { tail -20 "$folder/debootstrap.log" >&2; exit 1; }
rm -f "$root/etc/apt/sources.list"
sed 's/^/deb /' <<<"$archives" >"$root/etc/apt/sources.list"
for item in /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/auth.conf /etc/apt/auth.conf.d \
    /etc/apt/trusted.gpg.d /usr/share/keyrings /etc/ssl/certs /usr/local/share/ca-certificates; do
    if [ -e "$item" ]; then
        mkdir -p "$root$(dirname "$item")"
        cp -rL "$item" "$root$(dirname "$item")/"
    fi
done
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"

echo "== the tree: $(git -C "$source" describe --always --dirty)"
mkdir "$root/rnnkit"
git -C "$source" ls-files -z --cached --others --exclude-standard |
    (cd "$source" && xargs -0 sh -c 'for file; do [ -e "$file" ] && printf "%s\0" "$file"; done' -) |
    tar -C "$source" --null -T - -c | tar -C "$root/rnnkit" -x
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"

inside() {
    chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        sh -c 'cd /rnnkit && exec "$@"' sh "$@"
}

if [ $# -gt 0 ]; then
    inside "$@"
else
    inside tests/run.sh
    inside examples/demo.sh
    inside examples/demo.sh
    inside examples/demo_word2vec.sh
    inside examples/demo_translation.sh
    echo "== all commands work on a fresh Debian $release"
fi
