//! Where the time goes.
use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Result, check};
use crate::text;

/// What [`Engine::take_profile`](crate::Engine::take_profile) took: the forward passes measured since the last take.
/// `Send` and `Sync`: it never changes.
pub struct Profile {
    raw: Handle<graft_profile>,
}

// SAFETY: profile.h: "Send and Sync: it never changes".
unsafe impl Send for Profile {}
// SAFETY: as above.
unsafe impl Sync for Profile {}

impl Profile {
    pub(crate) fn new(raw: Handle<graft_profile>) -> Self {
        Self { raw }
    }

    /// Number of forward passes that [`milliseconds`](Self::milliseconds) gives.
    pub fn count(&self) -> usize {
        // SAFETY: the handle is valid and never changes.
        usize::try_from(unsafe { graft_profile_count(self.raw.pointer()) }).unwrap_or(0)
    }

    /// How long each forward pass took, oldest first: the newest 65536.
    ///
    /// # Errors
    /// None expected.
    pub fn milliseconds(&self) -> Result<Vec<f64>> {
        let mut times = vec![0.0; self.count()];
        let mut count = 0;
        // SAFETY: the buffer has that capacity; the handle is valid and never changes.
        check(unsafe {
            graft_profile_milliseconds(self.raw.pointer(), times.as_mut_ptr(), text::size_of(times.len()), &mut count)
        })?;
        Ok(times)
    }

    /// The profile by operation, as a JSON object: `forwards`, `dropped`, `forward_ms`, `explained`, `ops`.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn table(&self) -> Result<String> {
        // SAFETY: the handle is valid and never changes; the place is valid for the call.
        text::made(|out| unsafe { graft_profile_table(self.raw.pointer(), out) })
    }
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("count", &self.count()).finish_non_exhaustive()
    }
}
