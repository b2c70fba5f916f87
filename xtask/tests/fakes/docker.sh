#!/bin/sh
# A docker that answers from files beside it: `images/REFERENCE` (with `/` and `:` as `_`) is an image that is there, `pull` is
# sourced for a pull, `saved.tar` is what is saved, `save-fails` breaks that off, `no-engine` means that nothing answers. What it was
# asked is in `calls`. `driver` names the driver of Buildx's builder.
project=${0%/fakes/docker}
echo "$*" >>"$project/calls"
file_of() { echo "$project/images/$(echo "$1" | tr '/:' '__')"; }

if [ -e "$project/no-engine" ]; then
    case $1 in
    version | info | pull | image)
        echo "Cannot connect to the Docker daemon at unix:///fake.sock. Is the docker daemon running?" >&2
        exit 1
        ;;
    esac
fi
case $* in
--version) echo "Docker version 28.0.1, build fake" ;;
"version --format {{.Server.Version}}") echo 26.1.5 ;;
"version "*) echo '{"Client":{"Version":"28.0.1"},"Server":{"Version":"26.1.5"}}' ;;
"info "*) echo '{"ServerVersion":"26.1.5","Driver":"vfs","CgroupVersion":"2","MemoryLimit":true,"CpuCfsQuota":true,"PidsLimit":true,"DockerRootDir":"/"}' ;;
"context inspect"*) echo "tcp://fake:1" ;;
"compose version"*) echo 2.26.1 ;;
"buildx inspect") echo "Driver:        $(cat "$project/driver" 2>/dev/null || echo docker)" ;;
"import "* | "buildx build "*) ;;
"buildx version") echo "github.com/docker/buildx v0.13.1 fake" ;;
"compose "*" config "*) cat "$project/compose.yaml" ;;
"image inspect "*)
    shift 4
    code=0
    for reference; do
        cat "$(file_of "$reference")" 2>/dev/null || { echo "Error response from daemon: No such image: $reference" >&2; code=1; }
    done
    exit $code
    ;;
"save "*)
    cat "$project/saved.tar"
    [ ! -e "$project/save-fails" ] || { echo "Error response from daemon: no such layer" >&2; exit 1; }
    ;;
"pull "*)
    reference=$2
    . "$project/pull"
    ;;
*)
    echo "the fake docker knows no \`$*\`" >&2
    exit 99
    ;;
esac
