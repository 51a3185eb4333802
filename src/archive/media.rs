//! Media types: what a descriptor says that a blob is. Pure tables.

/// What a descriptor of an index stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentKind {
    Index,
    Manifest,
    /// Docker's first schema, which has no config.
    Schema1,
    /// A layer, a cache, a signature: nothing that describes an image.
    Other,
}

/// What a descriptor of a manifest's `layers` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayerKind {
    Image,
    /// May be left out of an archive, to be fetched from its `urls`.
    Foreign,
    /// ocicrypt.
    Encrypted,
    Other,
}

pub(super) fn document(media_type: &str) -> DocumentKind {
    match media_type {
        "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json" => {
            DocumentKind::Index
        }
        "application/vnd.oci.image.manifest.v1+json" | "application/vnd.docker.distribution.manifest.v2+json" => {
            DocumentKind::Manifest
        }
        "application/vnd.docker.distribution.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v1+prettyjws" => DocumentKind::Schema1,
        _ => DocumentKind::Other,
    }
}

/// Whether a config of this type is the config of a container image. Old registries gave schema 2 configs as
/// `application/octet-stream`.
pub(super) fn is_image_config(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json"
            | "application/octet-stream"
    )
}

pub(super) fn layer(media_type: &str) -> LayerKind {
    if media_type.ends_with("+encrypted") {
        return LayerKind::Encrypted;
    }
    let (base, compression) = match media_type.rsplit_once(['+', '.']) {
        Some((base, "gzip" | "zstd")) => (base, true),
        _ => (media_type, false),
    };
    match base {
        "application/vnd.oci.image.layer.v1.tar" | "application/vnd.docker.image.rootfs.diff.tar" => LayerKind::Image,
        "application/vnd.oci.image.layer.nondistributable.v1.tar"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar" => LayerKind::Foreign,
        "application/x-tar" | "application/octet-stream" if !compression => LayerKind::Image,
        _ => LayerKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_of_every_writer_are_known_and_others_are_not() {
        for (text, kind) in [
            ("application/vnd.oci.image.layer.v1.tar", LayerKind::Image),
            ("application/vnd.oci.image.layer.v1.tar+zstd", LayerKind::Image),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", LayerKind::Image),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerKind::Foreign),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LayerKind::Foreign),
            ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", LayerKind::Encrypted),
            ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", LayerKind::Other),
            ("application/vnd.wasm.content.layer.v1+wasm", LayerKind::Other),
            ("application/vnd.in-toto+json", LayerKind::Other),
            ("", LayerKind::Other),
        ] {
            assert_eq!(layer(text), kind, "{text}");
        }
    }
}
