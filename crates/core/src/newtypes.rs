//! Macros for the impls that newtypes have in common.

/// Implements `as_str` and `Display` for a type that holds a checked `String`.
macro_rules! text_newtype {
    ($name:ident) => {
        impl $name {
            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Implements a `Debug` that shows the type's name only, for secrets and personal data, and for what contains them as plain text.
#[macro_export]
macro_rules! redacted_debug {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

/// Declares a type for a digest of 32 bytes, compared in constant time and redacted in `Debug`.
macro_rules! digest_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Returns the digest's bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Reads a digest from a store; `None` unless it is 32 bytes.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        /// Compares in constant time.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(self.0.as_slice(), &other.0).into()
            }
        }

        impl Eq for $name {}

        $crate::newtypes::redacted_debug!($name);
    };
}

pub(crate) use {digest_newtype, redacted_debug, text_newtype};
