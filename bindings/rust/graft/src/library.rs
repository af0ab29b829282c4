//! The library itself.
use std::sync::OnceLock;

use crate::status::{Error, Result, Status};
use crate::text;

/// The ABI version of the loaded library. Any thread.
pub fn abi_version() -> i32 {
    // SAFETY: takes nothing and never fails.
    unsafe { graft_sys::graft_abi_version() }
}

/// The release of the loaded library, `"MAJOR.MINOR.PATCH"`. Any thread.
pub fn version() -> &'static str {
    // SAFETY: lives as long as the process.
    unsafe { text::static_text(graft_sys::graft_version()) }
}

/// What this machine offers, as a JSON object: versions, where LibTorch was found or why not, devices, kernel variants.
/// The first call loads LibTorch, about a second. Any thread.
///
/// ```
/// # fn main() -> graft::Result<()> {
/// assert!(graft::doctor()?.contains("\"devices\""));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `OutOfMemory`. What the machine lacks is a line of the answer, no failure.
pub fn doctor() -> Result<String> {
    // SAFETY: the place is valid for the call.
    text::made(|out| unsafe { graft_sys::graft_doctor(out) })
}

/// Refuses a library of another ABI version; asked once.
pub(crate) fn check_abi() -> Result<()> {
    static FOUND: OnceLock<i32> = OnceLock::new();
    let found = *FOUND.get_or_init(abi_version);
    if found == graft_sys::GRAFT_ABI_VERSION {
        return Ok(());
    }
    let expected = graft_sys::GRAFT_ABI_VERSION;
    Err(Error::new(Status::VersionMismatch, format!("libgraft has ABI {found}, this crate was made for {expected}")))
}
