//! Inflating with a stop after every deflate block: the crate's one place with unsafe code.
//!
//! In: compressed bytes and room. Out: how much of both was used, and whether a block ended, and at which bit. `Z_BLOCK` and
//! `data_type` tell that; of the bindings only libz-rs-sys has them, with the C interface: zlib-rs keeps the field to itself, and flate2 has
//! no such flush (performance.md, "how", 1). What is unsafe is that zlib gets raw pointers; here they come from slices, live for one call only, and
//! are taken back after it.

#![allow(unsafe_code)]

use libz_rs_sys::{
    Z_BLOCK, Z_BUF_ERROR, Z_DATA_ERROR, Z_OK, Z_STREAM_END, inflate, inflateEnd, inflateInit2_, inflateReset, z_stream,
    zlibVersion,
};
use std::ffi::CStr;
use std::io;
use std::ptr;

/// What is around the deflate blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// A gzip member, its header and its checksum (RFC 1952).
    Gzip,
    /// Nothing (RFC 1951).
    None,
}

impl Wrapper {
    /// As `inflateInit2` wants it: a window of 32 KiB is 15, negative is raw, 16 more is gzip alone.
    fn window_bits(self) -> i32 {
        match self {
            Self::Gzip => 15 + 16,
            Self::None => -15,
        }
    }
}

/// What a call of [`Inflate::run`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Bytes of the input that were used.
    pub(super) consumed: usize,
    /// Bytes of the output that were written.
    pub(super) produced: usize,
    /// Where it stopped.
    pub(super) stop: Stop,
}

/// Where inflating stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Within a block or a header: the input or the room ran out.
    Within,
    /// Before the first block, or after a block.
    Boundary {
        /// So many bits of the consumed bytes lie after the boundary.
        ahead: u8,
        /// Whether the block that ended is the last of its stream.
        last: bool,
    },
    /// After the stream, its checksum verified.
    End,
}

/// The state of one stream.
pub(super) struct Inflate {
    // Boxed: zlib's state may point back at it.
    stream: Box<z_stream>,
}

// SAFETY: the stream owns all that its pointers lead to, except the buffers of a call, which are taken back before the call
// returns; nothing in it is bound to a thread.
unsafe impl Send for Inflate {}

impl Inflate {
    /// Starts a stream.
    ///
    /// # Errors
    ///
    /// Where there is no memory for it.
    pub(super) fn new(wrapper: Wrapper) -> io::Result<Self> {
        let mut stream = Box::new(z_stream::default());
        let size = i32::try_from(size_of::<z_stream>()).map_err(io::Error::other)?;
        // SAFETY: the stream is a valid `z_stream` of this size with zlib's own allocator, and the version is the library's own.
        let code = unsafe { inflateInit2_(&mut *stream, wrapper.window_bits(), zlibVersion(), size) };
        match code {
            Z_OK => Ok(Self { stream }),
            code => Err(io::Error::other(format!("zlib does not start: {code}"))),
        }
    }

    /// Begins another stream with the same wrapper.
    pub(super) fn reset(&mut self) {
        // SAFETY: `new` has initialised the stream. An error is not possible then.
        unsafe { inflateReset(&mut *self.stream) };
    }

    /// Inflates until the input or the room runs out, or a block ends. An empty input at a boundary goes past it.
    ///
    /// # Errors
    ///
    /// `InvalidData` for what is no deflate stream or has another checksum; again at every call after that.
    pub(super) fn run(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Step> {
        let available = u32::try_from(input.len()).unwrap_or(u32::MAX);
        let room = u32::try_from(output.len()).unwrap_or(u32::MAX);
        let stream = &mut *self.stream;
        (stream.next_in, stream.avail_in) = (input.as_ptr(), available);
        (stream.next_out, stream.avail_out) = (output.as_mut_ptr(), room);
        // SAFETY: `new` has initialised the stream; both pointers are good for as many bytes as the fields say, the output's for writing, and
        // the slices live longer than the call.
        let code = unsafe { inflate(stream, Z_BLOCK) };
        // Nothing outlives the call.
        (stream.next_in, stream.next_out) = (ptr::null(), ptr::null_mut());
        let count = |before: u32, after| usize::try_from(before.saturating_sub(after)).unwrap_or_default();
        let (consumed, produced) = (count(available, stream.avail_in), count(room, stream.avail_out));
        let stop = match code {
            Z_STREAM_END => Stop::End,
            Z_OK if stream.data_type & 128 != 0 => {
                let ahead = u8::try_from(stream.data_type & 63).unwrap_or_default();
                Stop::Boundary { ahead, last: stream.data_type & 64 != 0 }
            }
            Z_OK | Z_BUF_ERROR => Stop::Within,
            code => return Err(self.flaw(code)),
        };
        Ok(Step { consumed, produced, stop })
    }

    fn flaw(&self, code: i32) -> io::Error {
        let message = self.stream.msg;
        let text = if message.is_null() {
            format!("zlib's error {code}")
        } else {
            // SAFETY: where zlib sets the message, it is a static text that ends in a zero.
            unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()
        };
        let kind = if code == Z_DATA_ERROR { io::ErrorKind::InvalidData } else { io::ErrorKind::Other };
        io::Error::new(kind, text)
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: `new` has initialised the stream, and nothing uses it after this.
        unsafe { inflateEnd(&mut *self.stream) };
    }
}
