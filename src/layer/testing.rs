//! A tar builder for tests that can write every odd header a test needs.
