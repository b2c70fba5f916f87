#!/bin/sh
# Fills environment variables into templates and writes the results where nginx reads them:
# /etc/nginx/templates/NAME.template becomes /etc/nginx/conf.d/NAME. Only variables that are set are replaced,
# so nginx's own $variables stay as they are.
set -eu

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
stream_suffix=${NGINX_ENVSUBST_STREAM_TEMPLATE_SUFFIX:-.stream-template}
stream_output=${NGINX_ENVSUBST_STREAM_OUTPUT_DIR:-/etc/nginx/stream-conf.d}
filter=${NGINX_ENVSUBST_FILTER:-}

# The names to replace, written the way envsubst wants them.
variables=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' | grep -E "$filter" | sed 's/.*/${&}/' | tr '\n' ' ') || variables=

# fill SUFFIX DIRECTORY: every template with this suffix, below the same sub-folder.
fill() {
    find -L "$templates" -type f -name "*$1" | sort | while read -r template; do
        name=${template#"$templates"/}
        result=$2/${name%"$1"}
        mkdir -p "${result%/*}"
        echo "$0: $template to $result"
        envsubst "$variables" <"$template" >"$result"
    done
}

[ -d "$templates" ] || exit 0
# As upstream, nginx then starts with the configuration it has: it may have been filled elsewhere.
if [ ! -w "$output" ]; then
    echo "$0: error: $templates exists, but $output is not writable" >&2
    exit 0
fi
fill "$suffix" "$output"
if [ -n "$(find -L "$templates" -name "*$stream_suffix")" ]; then
    mkdir -p "$stream_output"
    fill "$stream_suffix" "$stream_output"
fi
