//! Bytes where a policy can be read in place.

/// Bytes at a multiple of 4, for a blob in a `static`: `include_bytes!` alone gives any address.
///
/// ```
/// use policy_core::Aligned;
///
/// static BLOB: &Aligned<[u8]> = &Aligned([1, 2, 3]);
/// assert_eq!(BLOB.0.as_ptr().addr() % 4, 0);
/// ```
#[derive(Debug, Clone, Copy)]
#[repr(C, align(4))]
pub struct Aligned<Bytes: ?Sized>(pub Bytes);

/// The bytes of a file, as `include_bytes!`, but at a multiple of 4: a `&'static [u8]`, in constants too.
#[macro_export]
macro_rules! include_policy {
    ($path:expr $(,)?) => {{
        const BYTES: &$crate::Aligned<[u8]> = &$crate::Aligned(*::core::include_bytes!($path));
        &BYTES.0
    }};
}
