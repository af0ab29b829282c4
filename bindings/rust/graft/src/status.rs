//! Status codes and the error that carries one.
use std::fmt;

use crate::text;

/// What kind of failure it was. The numbers are those of `graft/status.h`; a newer library's are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// An argument is wrong; the text names it.
    InvalidArgument,
    /// Right call, wrong moment.
    InvalidState,
    /// A file, a library, a tensor or a token does not exist.
    NotFound,
    /// Understood, but not offered by this release, model or machine.
    Unsupported,
    /// Longer than the context, larger than a stated limit.
    LimitExceeded,
    /// The engine's waiting queue is full; try again later.
    Busy,
    /// Host or device memory.
    OutOfMemory,
    /// The device or its driver failed.
    DeviceError,
    /// Another rank died, hung or could not be reached.
    CommError,
    /// A file could not be read, written or loaded.
    IoError,
    /// A file is damaged or not what it claims to be.
    CorruptData,
    /// A buffer is too small. No method of this crate returns it: each grows its buffers.
    BufferTooSmall,
    /// Somebody cancelled it.
    Cancelled,
    /// Nothing yet. Methods with a time-out say so in their result instead.
    Timeout,
    /// The request's own deadline passed.
    DeadlineExceeded,
    /// The engine or queue was closed.
    Closed,
    /// Two libraries of different versions met.
    VersionMismatch,
    /// Nothing more will come. Iterators and [`Pull`](crate::Pull) say so instead.
    End,
    /// A defect of Graft; please report it with the text.
    Internal,
    /// A number that this crate does not know.
    Unknown(i32),
}

macro_rules! codes {
    ($($name:ident = $code:ident),* $(,)?) => {
        impl Status {
            /// The status with this number, which is not 0 (OK is no failure).
            pub fn from_code(code: i32) -> Self {
                match code {
                    $(graft_sys::$code => Self::$name,)*
                    other => Self::Unknown(other),
                }
            }

            /// Its number in the C ABI.
            pub fn code(self) -> i32 {
                match self {
                    $(Self::$name => graft_sys::$code,)*
                    Self::Unknown(code) => code,
                }
            }
        }
    };
}

codes! {
    InvalidArgument = GRAFT_STATUS_INVALID_ARGUMENT,
    InvalidState = GRAFT_STATUS_INVALID_STATE,
    NotFound = GRAFT_STATUS_NOT_FOUND,
    Unsupported = GRAFT_STATUS_UNSUPPORTED,
    LimitExceeded = GRAFT_STATUS_LIMIT_EXCEEDED,
    Busy = GRAFT_STATUS_BUSY,
    OutOfMemory = GRAFT_STATUS_OUT_OF_MEMORY,
    DeviceError = GRAFT_STATUS_DEVICE_ERROR,
    CommError = GRAFT_STATUS_COMM_ERROR,
    IoError = GRAFT_STATUS_IO_ERROR,
    CorruptData = GRAFT_STATUS_CORRUPT_DATA,
    BufferTooSmall = GRAFT_STATUS_BUFFER_TOO_SMALL,
    Cancelled = GRAFT_STATUS_CANCELLED,
    Timeout = GRAFT_STATUS_TIMEOUT,
    DeadlineExceeded = GRAFT_STATUS_DEADLINE_EXCEEDED,
    Closed = GRAFT_STATUS_CLOSED,
    VersionMismatch = GRAFT_STATUS_VERSION_MISMATCH,
    End = GRAFT_STATUS_END,
    Internal = GRAFT_STATUS_INTERNAL,
}

impl Status {
    /// Its name in the C ABI: `"NOT_FOUND"`; `"UNKNOWN"` for a number that the library does not know.
    pub fn name(self) -> &'static str {
        // SAFETY: takes any number; what it returns lives as long as the process.
        unsafe { text::static_text(graft_sys::graft_status_name(self.code())) }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(code) => write!(f, "UNKNOWN({code})"),
            known => f.write_str(known.name()),
        }
    }
}

/// A failure: its status, and a text that names what was wrong, what was found and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: Status,
    message: Box<str>,
}

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<Box<str>>) -> Self {
        Self { status, message: message.into() }
    }

    /// Of the library call on this thread that just returned `code`.
    #[cold]
    pub(crate) fn of_last_call(code: i32) -> Self {
        // SAFETY: never NULL; copied before another call is made on this thread.
        let message = unsafe { text::borrowed(graft_sys::graft_last_error_message()) };
        Self::new(Status::from_code(code), message)
    }

    /// What kind of failure it was.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The text alone; [`Display`](fmt::Display) writes the status's name before it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl std::error::Error for Error {}

/// What can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// OK or the failure of the call that returned `code` on this thread.
pub(crate) fn check(code: i32) -> Result<()> {
    if code == graft_sys::GRAFT_STATUS_OK { Ok(()) } else { Err(Error::of_last_call(code)) }
}
