//! Tensors: typed, shaped bytes in host memory.
use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Error, Result, Status};
use crate::text::{self, size_of};

/// Element types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// 32-bit floating point.
    Float32,
    /// 16 bits: the upper half of a float32.
    BFloat16,
    /// 16-bit floating point.
    Float16,
    /// 8-bit integer.
    Int8,
    /// Two to a byte, the earlier one in the low half.
    Int4,
    /// 32-bit integer.
    Int32,
    /// 64-bit integer.
    Int64,
    /// 8-bit unsigned integer.
    UInt8,
    /// One byte each, 0 or 1.
    Boolean,
    /// 64-bit floating point.
    Float64,
    /// A number that this crate does not know.
    Unknown(i32),
}

macro_rules! dtypes {
    ($($name:ident = $code:ident, $text:literal;)*) => {
        impl DType {
            /// The type with this number of the C ABI.
            pub fn from_code(code: i32) -> Self {
                match code {
                    $($code => Self::$name,)*
                    other => Self::Unknown(other),
                }
            }

            /// Its number in the C ABI.
            pub fn code(self) -> i32 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Unknown(code) => code,
                }
            }

            /// `"float32"`, ...; `"unknown"`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Unknown(_) => "unknown",
                }
            }
        }
    };
}

dtypes! {
    Float32 = GRAFT_DTYPE_FLOAT32, "float32";
    BFloat16 = GRAFT_DTYPE_BFLOAT16, "bfloat16";
    Float16 = GRAFT_DTYPE_FLOAT16, "float16";
    Int8 = GRAFT_DTYPE_INT8, "int8";
    Int4 = GRAFT_DTYPE_INT4, "int4";
    Int32 = GRAFT_DTYPE_INT32, "int32";
    Int64 = GRAFT_DTYPE_INT64, "int64";
    UInt8 = GRAFT_DTYPE_UINT8, "uint8";
    Boolean = GRAFT_DTYPE_BOOLEAN, "boolean";
    Float64 = GRAFT_DTYPE_FLOAT64, "float64";
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that a tensor's elements can be read as.
pub trait Element: sealed::Sealed + Copy + 'static {
    /// The element type of such a tensor.
    const DTYPE: DType;
}

macro_rules! elements {
    ($($type:ty = $dtype:ident),*) => {$(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;
        }
    )*};
}

elements!(f32 = Float32, f64 = Float64, i8 = Int8, u8 = UInt8, i32 = Int32, i64 = Int64);

/// Typed, shaped, contiguous bytes. `Send` and `Sync`: it never changes, owns its storage by reference, and stays valid
/// whatever happens to the engine or request it came from. What is borrowed from it is read where it is, not copied.
pub struct Tensor {
    raw: Handle<graft_tensor>,
}

// SAFETY: tensor.h: "It never changes ... Send and Sync".
unsafe impl Send for Tensor {}
// SAFETY: as above.
unsafe impl Sync for Tensor {}

impl Tensor {
    pub(crate) fn from_raw(raw: Handle<graft_tensor>) -> Self {
        Self { raw }
    }

    /// A tensor of bytes, row-major without gaps; they are copied.
    ///
    /// # Errors
    /// `InvalidArgument` (dtype, shape, or a size that does not fit them), `OutOfMemory`.
    pub fn new(dtype: DType, shape: &[i64], bytes: &[u8]) -> Result<Self> {
        let rank = i32::try_from(shape.len()).unwrap_or(i32::MAX);
        let (data, size) = (bytes.as_ptr().cast(), size_of(bytes.len()));
        // SAFETY: shape and bytes have those sizes; the place is valid for the call.
        let make = |out| unsafe { graft_tensor_new(dtype.code(), shape.as_ptr(), rank, data, size, out) };
        Handle::made(make).map(Self::from_raw)
    }

    /// A tensor of numbers, row-major; they are copied.
    ///
    /// ```
    /// # fn main() -> graft::Result<()> {
    /// let tensor = graft::Tensor::from_slice(&[2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(tensor.as_slice::<f32>()?[4], 5.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_slice<T: Element>(shape: &[i64], values: &[T]) -> Result<Self> {
        // SAFETY: an Element is a plain number: its bytes are all initialised.
        let bytes = unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) };
        Self::new(T::DTYPE, shape, bytes)
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        // SAFETY: the handle is valid and never changes.
        DType::from_code(unsafe { graft_tensor_dtype(self.pointer()) })
    }

    /// The size of each dimension; empty for a scalar.
    pub fn shape(&self) -> &[i64] {
        // SAFETY: `rank` sizes that live as long as the tensor.
        unsafe { text::slice(graft_tensor_shape(self.pointer()), graft_tensor_rank(self.pointer()).into()) }
    }

    /// The bytes, row-major without gaps.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `byte_size` bytes that live as long as the tensor and never change.
        unsafe { text::slice(graft_tensor_data(self.pointer()).cast::<u8>(), graft_tensor_byte_size(self.pointer())) }
    }

    /// The elements where they are.
    ///
    /// # Errors
    /// `InvalidArgument`: the tensor has another element type.
    pub fn as_slice<T: Element>(&self) -> Result<&[T]> {
        if self.dtype() != T::DTYPE {
            let (found, wanted) = (self.dtype().name(), T::DTYPE.name());
            return Err(Error::new(Status::InvalidArgument, format!("the tensor is {found}, not {wanted}")));
        }
        // SAFETY: every pattern of bits is a value of an Element; align_to keeps to T's alignment.
        match unsafe { self.bytes().align_to::<T>() } {
            ([], elements, []) => Ok(elements),
            _ => Err(Error::new(Status::Internal, "the tensor's bytes are not aligned to its element type")),
        }
    }

    /// Where the bytes are: `"cpu"` in this release.
    pub fn device(&self) -> &'static str {
        // SAFETY: lives as long as the process.
        unsafe { text::static_text(graft_tensor_device(self.pointer())) }
    }

    pub(crate) fn pointer(&self) -> *const graft_tensor {
        self.raw.pointer()
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tensor").field("dtype", &self.dtype()).field("shape", &self.shape()).finish_non_exhaustive()
    }
}
