//! Log lines of the library. Process-wide: the one setting that all engines share. Until told otherwise, warnings and
//! errors go to stderr.
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use graft_sys::*;

use crate::status::{Result, check};
use crate::text;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No lines.
    Off,
    /// What failed.
    Error,
    /// What may be a mistake; the default lets these and errors through.
    Warning,
    /// What happens.
    Info,
    /// What helps to find a defect.
    Debug,
}

impl Level {
    /// The number of the C ABI.
    pub fn code(self) -> i32 {
        match self {
            Self::Off => GRAFT_LOG_OFF,
            Self::Error => GRAFT_LOG_ERROR,
            Self::Warning => GRAFT_LOG_WARNING,
            Self::Info => GRAFT_LOG_INFO,
            Self::Debug => GRAFT_LOG_DEBUG,
        }
    }

    fn from_code(code: i32) -> Self {
        match code {
            GRAFT_LOG_OFF => Self::Off,
            GRAFT_LOG_ERROR => Self::Error,
            GRAFT_LOG_WARNING => Self::Warning,
            GRAFT_LOG_INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}

type Callback = dyn Fn(Level, &str) + Send + Sync;

static CALLBACK: RwLock<Option<Arc<Callback>>> = RwLock::new(None);

/// Lets through lines of this level and graver ones. Any thread.
///
/// # Errors
/// None expected.
pub fn set_level(level: Level) -> Result<()> {
    // SAFETY: takes any number.
    check(unsafe { graft_log_set_level(level.code()) })
}

/// Sends log lines to a function instead of stderr. It is called from any thread, possibly from several at once, should
/// return soon, and may use this crate, this function included. A panic in it is dropped.
///
/// ```
/// # fn main() -> graft::Result<()> {
/// graft::log::set_callback(|level, line| println!("{level:?}: {line}"))?;
/// graft::EngineOptions::new()?.json(r#"{"replace_method": "auto"}"#)?; // warns that the key is deprecated
/// graft::log::reset_callback()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// None expected.
pub fn set_callback(callback: impl Fn(Level, &str) + Send + Sync + 'static) -> Result<()> {
    replace(Some(Arc::new(callback)));
    // SAFETY: the function finds its callback in a static, so it may be called at any time from now on.
    check(unsafe { graft_log_set_callback(Some(write_line), std::ptr::null_mut()) })
}

/// Sends log lines to stderr again. A line that another thread is just writing may be dropped.
///
/// # Errors
/// None expected.
pub fn reset_callback() -> Result<()> {
    // SAFETY: a NULL function is "stderr".
    check(unsafe { graft_log_set_callback(None, std::ptr::null_mut()) })?;
    replace(None);
    Ok(())
}

fn replace(callback: Option<Arc<Callback>>) {
    let old = std::mem::replace(&mut *CALLBACK.write().unwrap_or_else(PoisonError::into_inner), callback);
    drop(old); // without the lock, for it may run the user's code
}

/// The library's callback: no panic leaves it.
unsafe extern "C" fn write_line(_user: *mut c_void, level: i32, message: *const c_char) {
    // SAFETY: NUL-terminated and valid for the call.
    let message = unsafe { text::borrowed(message) };
    let call = || {
        let callback = CALLBACK.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(callback) = callback {
            callback(Level::from_code(level), message);
        }
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(call)) {
        // what was thrown may panic when it is dropped
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(again);
        }
    }
}
