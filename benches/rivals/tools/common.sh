# What the tools share; sourced. Each tool is `TOOL INPUT OUTPUT COMPRESS` in an empty directory of its own: one image in, one archive with one
# layer out. COMPRESS is none, gzip:N or zstd:N. `TOOL clean`, afterwards and not timed, takes back what a run left in a daemon.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

# The archive's members below ./in; its config in $config, its layers, base first, in $layers.
unpack() {
    mkdir in
    tar -C in -xf "$1"
    local manifest=in/manifest.json digest
    if [[ -f $manifest ]]; then
        config=in/$(jq -r '.[0].Config' "$manifest")
        mapfile -t layers < <(jq -r '"in/" + .[0].Layers[]' "$manifest")
    else
        digest=$(jq -r '.manifests[0].digest' in/index.json)
        manifest=in/blobs/${digest/://}
        digest=$(jq -r '.config.digest' "$manifest")
        config=in/blobs/${digest/://}
        mapfile -t layers < <(jq -r '"in/blobs/" + (.layers[].digest | sub(":"; "/"))' "$manifest")
    fi
}

# digest [FILE]: of standard input without FILE.
digest() { openssl dgst -sha256 -r "${1:-/dev/stdin}" | cut -d" " -f1; }

# compress HOW: standard input to standard output, on all cores.
compress() {
    case $1 in
    gzip:*) pigz "-${1#gzip:}" ;;
    zstd:*) zstd -q "-${1#zstd:}" -T0 -c ;;
    *) cat ;;
    esac
}

# wrap DIFF_ID LAYER OUTPUT: a docker archive of one finished layer, with the config that unpack found.
wrap() {
    mkdir out
    mv "$2" out/layer.tar
    jq -c --arg id "sha256:$1" '.rootfs.diff_ids = [$id] | .history = [{created_by: "squash"}]' "$config" >out/config.json
    echo '[{"Config":"config.json","RepoTags":["rival:flat"],"Layers":["layer.tar"]}]' >out/manifest.json
    tar -C out -cf "$3" manifest.json config.json layer.tar
}

# The config as Dockerfile instructions, a line each: for tools that lose it.
instructions() {
    jq -r '.config |
        (.Env // [] | .[] | capture("(?<k>[^=]*)=(?<v>.*)"; "s") | "ENV " + .k + "=" + (.v | tojson)),
        (.Entrypoint // empty | "ENTRYPOINT " + tojson),
        (.Cmd // empty | "CMD " + tojson),
        (.WorkingDir // "" | select(. != "") | "WORKDIR " + .),
        (.User // "" | select(. != "") | "USER " + .),
        (.ExposedPorts // {} | keys[] | "EXPOSE " + .),
        (.Volumes // {} | keys[] | "VOLUME " + .)' "$config"
}
