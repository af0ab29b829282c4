//! What Graft does not know by itself about a model.
use std::ffi::CString;

use graft_sys::*;

use crate::handle::Handle;
use crate::status::{Error, Result, Status};
use crate::text::{pointer_of, size_of};

/// A policy, made once and given to [`EngineOptions::add_policy`](crate::EngineOptions::add_policy). `Send` and `Sync`:
/// it never changes.
pub struct Policy {
    raw: Handle<graft_policy>,
}

// SAFETY: policy.h: "Send and Sync: it never changes".
unsafe impl Send for Policy {}
// SAFETY: as above.
unsafe impl Sync for Policy {}

impl Policy {
    /// An architecture described by a JSON object: how its config becomes Graft's, and where its weights are. What the
    /// object says is read when an engine is opened with it.
    ///
    /// # Errors
    /// `InvalidArgument`: not a JSON object.
    pub fn from_json(json: &str) -> Result<Self> {
        // SAFETY: the text has that size, the place is valid for the call.
        Handle::made(|out| unsafe { graft_policy_from_json(pointer_of(json), size_of(json.len()), out) })
            .map(|raw| Self { raw })
    }

    /// In every layer of this class the named linears are row-parallel and all others column-parallel.
    ///
    /// ```
    /// # fn main() -> graft::Result<()> {
    /// graft::Policy::row_parallel("LlamaDecoderLayer", &["self_attn.o_proj", "mlp.down_proj"])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument`: an empty class, no name, an empty name, a NUL in a name.
    pub fn row_parallel(layer_class: &str, names: &[impl AsRef<str>]) -> Result<Self> {
        let names = names.iter().map(|name| {
            CString::new(name.as_ref())
                .map_err(|_| Error::new(Status::InvalidArgument, format!("names: {:?} has a NUL", name.as_ref())))
        });
        let names = names.collect::<Result<Vec<_>>>()?;
        let pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let (class, class_size) = (pointer_of(layer_class), size_of(layer_class.len()));
        // SAFETY: the texts and the array of them outlive the call, which copies them.
        Handle::made(|out| unsafe {
            graft_policy_row_parallel(class, class_size, pointers.as_ptr(), size_of(pointers.len()), out)
        })
        .map(|raw| Self { raw })
    }

    pub(crate) fn pointer(&self) -> *const graft_policy {
        self.raw.pointer()
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").finish_non_exhaustive()
    }
}
