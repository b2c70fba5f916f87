#!/bin/sh
# collect.sh ROOT PROGRAM...: copies programs and the shared libraries they load into ROOT, a root file system
# that starts empty. For images that carry a few programs and no package manager.
set -eu
root=$1
shift
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64"
for link in bin sbin lib lib64; do
    [ -e "$root/$link" ] || ln -s "usr/$link" "$root/$link"
done
for program in "$@"; do
    echo "$program"
    # A static program has no libraries; ldd says so with its exit code.
    if libraries=$(ldd "$program"); then
        echo "$libraries" | grep -o '/[^ ]*'
    fi
done | sort -u | while read -r file; do
    case $file in
    /usr/*) target=$root$file ;;
    *) target=$root/usr$file ;; # /lib and /bin are links into /usr
    esac
    mkdir -p "${target%/*}"
    cp --dereference --preserve=mode "$file" "$target"
done
