//! What of a record goes into a trace's hash, said beside the record's types.
//!
//! A value is written as bytes: a number in its width, little-endian; an enum as its variant's place
//! in one byte, and its fields; a struct as its fields. How many bytes follow is told by those
//! before, so no value's bytes are the beginning of another's, and different values have different
//! bytes, as have different sequences of values.

use crate::time::{Duration, Time};

/// Room for the bytes of one record.
pub type Bytes = [u8; MOST_BYTES];

/// The most bytes that a record may have.
pub const MOST_BYTES: usize = 96;

/// Gives numbers below a bound, for values of a kind to try.
pub type Draw<'a> = &'a mut dyn FnMut(u64) -> u64;

/// Something that is hashed. [`hashed!`](crate::hashed!) writes the implementation for an enum or a
/// struct of what is hashed already.
pub trait Hashed: Sized {
    /// Writes the value from `at` on, and says where the next one is written.
    fn put(&self, bytes: &mut Bytes, at: usize) -> usize;

    /// One of the values that differ in what is hashed; for tests.
    fn any(draw: Draw<'_>) -> Self;
}

/// A number among those where two values are likely to be told apart wrongly: small ones, and those
/// at the borders of widths.
fn tempting(draw: Draw<'_>, most: u64) -> u64 {
    match draw(4) {
        0 | 1 => draw(4).min(most),
        2 => {
            let border = 1_u64 << (8 * draw(8));
            border.saturating_add(draw(3)).saturating_sub(1).min(most)
        }
        _ => most - draw(2).min(most),
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Hashed for $number {
            #[inline(always)]
            fn put(&self, bytes: &mut Bytes, at: usize) -> usize {
                const WIDTH: usize = size_of::<$number>();
                bytes[at..at + WIDTH].copy_from_slice(&self.to_le_bytes());
                at + WIDTH
            }

            fn any(draw: Draw<'_>) -> $number {
                tempting(draw, <$number>::MAX.into()) as $number
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64);

impl Hashed for bool {
    #[inline(always)]
    fn put(&self, bytes: &mut Bytes, at: usize) -> usize {
        u8::from(*self).put(bytes, at)
    }

    fn any(draw: Draw<'_>) -> bool {
        draw(2) == 1
    }
}

impl<T: Hashed> Hashed for Option<T> {
    #[inline(always)]
    fn put(&self, bytes: &mut Bytes, at: usize) -> usize {
        match self {
            None => 0_u8.put(bytes, at),
            Some(value) => {
                let at = 1_u8.put(bytes, at);
                value.put(bytes, at)
            }
        }
    }

    fn any(draw: Draw<'_>) -> Option<T> {
        (draw(2) == 1).then(|| T::any(draw))
    }
}

/// Implements [`Hashed`] for a type, which is named with all of its variants and fields, in the order
/// in which they are written:
///
/// ```
/// # struct Key(u32);
/// # enum Seen { Nothing, Value(u32), Range { from: u32, until: u32, places: usize } }
/// rebound_engine::hashed!(struct Key(number));
/// rebound_engine::hashed!(enum Seen {
///     Nothing,
///     Value(value),
///     Range { from, until; not places = 0 },
/// });
/// ```
///
/// `list` is for an enum without fields that has all of its variants in `ALL`, in their order.
///
/// Fields after `not` are left out, and have the value there when a test makes one. Whatever is
/// named twice, forgotten or added later is an error of the compiler. The order of an enum's variants
/// here gives their numbers.
#[macro_export]
macro_rules! hashed {
    (struct $Type:ident($($at:ident),*)) => {
        $crate::hashed!(@impl $Type, [($($at),*)] []);
    };
    (struct $Type:ident { $($field:ident),* $(; $(not $left:ident = $value:expr),*)? }) => {
        $crate::hashed!(@impl $Type, [] [{ $($field),*; $($($left = $value),*)? }]);
    };
    (@impl $Type:ident, [$(($($at:ident),*))?] [$({ $($field:ident),*; $($left:ident = $value:expr),* })?]) => {
        impl $crate::Hashed for $Type {
            #[inline(always)]
            fn put(&self, bytes: &mut $crate::HashedBytes, at: usize) -> usize {
                let $Type $(($($at),*))? $({ $($field,)* $($left: _),* })? = self;
                $($(let at = $crate::Hashed::put($at, bytes, at);)*)?
                $($(let at = $crate::Hashed::put($field, bytes, at);)*)?
                at
            }

            fn any(draw: $crate::HashedDraw<'_>) -> $Type {
                $Type
                    $(($({ let $at = $crate::Hashed::any(draw); $at }),*))?
                    $({ $($field: $crate::Hashed::any(draw),)* $($left: $value),* })?
            }
        }
    };
    (enum $Type:ident $(<$Of:ident>)? {
        $($Variant:ident
            $(($($at:ident),*))?
            $({ $($field:ident),* $(; $(not $left:ident = $value:expr),*)? })?
        ),* $(,)?
    }) => {
        impl $(<$Of: $crate::Hashed>)? $crate::Hashed for $Type $(<$Of>)? {
            #[inline(always)]
            fn put(&self, bytes: &mut $crate::HashedBytes, at: usize) -> usize {
                #[repr(u8)]
                enum Number {
                    $($Variant,)*
                }
                match self {
                    $(
                        $Type::$Variant
                            $(($($at),*))?
                            $({ $($field,)* $($($left: _),*)? })?
                        => {
                            let at = $crate::Hashed::put(&(Number::$Variant as u8), bytes, at);
                            $($(let at = $crate::Hashed::put($at, bytes, at);)*)?
                            $($(let at = $crate::Hashed::put($field, bytes, at);)*)?
                            at
                        }
                    )*
                }
            }

            fn any(draw: $crate::HashedDraw<'_>) -> Self {
                type Make<T> = fn($crate::HashedDraw<'_>) -> T;
                let makes: &[Make<Self>] = &[$(
                    |_draw| {
                        $Type::$Variant
                            $(($({ let $at = $crate::Hashed::any(_draw); $at }),*))?
                            $({ $($field: $crate::Hashed::any(_draw),)* $($($left: $value),*)? })?
                    },
                )*];
                makes[draw(makes.len() as u64) as usize](draw)
            }
        }
    };
    (list $Type:ident) => {
        impl $crate::Hashed for $Type {
            #[inline(always)]
            fn put(&self, bytes: &mut $crate::HashedBytes, at: usize) -> usize {
                const { assert!($Type::ALL.len() <= 256) };
                $crate::Hashed::put(&(*self as u8), bytes, at)
            }

            fn any(draw: $crate::HashedDraw<'_>) -> $Type {
                $Type::ALL[draw($Type::ALL.len() as u64) as usize]
            }
        }
    };
}

hashed!(struct Time(nanos));
hashed!(struct Duration(nanos));

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Sample {
        Nothing,
        Small(u8),
        Pair(u8, u16),
        Named { value: Option<u32>, left_out: u8 },
    }

    hashed!(enum Sample {
        Nothing,
        Small(value),
        Pair(one, other),
        Named { value; not left_out = 0 },
    });

    fn bytes(sample: Sample) -> Vec<u8> {
        let mut bytes = [0xaa; MOST_BYTES];
        let end = sample.put(&mut bytes, 0);
        bytes[..end].to_vec()
    }

    #[test]
    fn a_value_is_its_variant_and_its_fields_in_little_endian_order() {
        assert_eq!(bytes(Sample::Nothing), [0]);
        assert_eq!(bytes(Sample::Small(7)), [1, 7]);
        assert_eq!(bytes(Sample::Pair(7, 0x0102)), [2, 7, 2, 1]);
        let named = |value| Sample::Named { value, left_out: 9 };
        assert_eq!(bytes(named(None)), [3, 0]);
        assert_eq!(bytes(named(Some(5))), [3, 1, 5, 0, 0, 0]);
    }

    #[test]
    fn no_values_bytes_begin_anothers() {
        let mut state = 1_u64;
        let mut draw = move |bound: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % bound
        };
        let samples: Vec<Sample> = (0..500).map(|_| Sample::any(&mut draw)).collect();
        for one in &samples {
            for other in &samples {
                let begins = bytes(*other).starts_with(&bytes(*one));
                assert_eq!(begins, one == other, "{one:?} {other:?}");
            }
        }
    }
}
