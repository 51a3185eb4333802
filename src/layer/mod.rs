//! Tar bytes and entries: one read half, one write half, codecs and digests.
