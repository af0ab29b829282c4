//! Why a call failed: a status for the caller and a text for people.

/// The numbers of graft::StatusCode (core/base/status.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    InvalidArgument = 1,
    InvalidState = 2,
    NotFound = 3,
    Unsupported = 4,
    LimitExceeded = 5,
    OutOfMemory = 7,
    CorruptData = 11,
    Internal = 19,
}

#[derive(Debug)]
pub struct Failure {
    pub status: Status,
    pub message: String,
}

impl Failure {
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Failure { status, message: message.into() }
    }
}

pub type Result<T> = std::result::Result<T, Failure>;
