//! A handle of the C ABI that is freed when it is dropped. It is neither Send nor Sync: each public type says what its
//! header promises.
use std::ptr::{self, NonNull};

use crate::library;
use crate::status::{Error, Result, Status, check};

/// A kind of object that the library makes.
///
/// # Safety
/// `free` releases what the library made of this type.
pub(crate) unsafe trait Object {
    /// # Safety
    /// `pointer` is of the library's making, and nobody uses it during or after the call.
    unsafe fn free(pointer: *mut Self);
}

macro_rules! objects {
    ($($raw:ident, $free:ident;)*) => {$(
        // SAFETY: the noun's own *_free.
        unsafe impl Object for graft_sys::$raw {
            unsafe fn free(pointer: *mut Self) {
                // SAFETY: as the caller promises.
                unsafe { graft_sys::$free(pointer) }
            }
        }
    )*};
}

objects! {
    graft_decoder, graft_decoder_free;
    graft_engine, graft_engine_free;
    graft_engine_options, graft_engine_options_free;
    graft_event, graft_event_free;
    graft_input, graft_input_free;
    graft_policy, graft_policy_free;
    graft_profile, graft_profile_free;
    graft_queue, graft_queue_free;
    graft_request, graft_request_free;
    graft_request_options, graft_request_options_free;
    graft_string, graft_string_free;
    graft_tensor, graft_tensor_free;
    graft_tokenizer, graft_tokenizer_free;
}

pub(crate) struct Handle<T: Object>(NonNull<T>);

impl<T: Object> Handle<T> {
    /// The object that a call makes: `make` gets the place for the handle and returns the status.
    pub(crate) fn made(make: impl FnOnce(*mut *mut T) -> i32) -> Result<Self> {
        library::check_abi()?;
        let mut pointer = ptr::null_mut();
        check(make(&mut pointer))?;
        let made = NonNull::new(pointer).map(Self);
        made.ok_or_else(|| Error::new(Status::Internal, "the library made nothing and reported no failure"))
    }

    pub(crate) fn pointer(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T: Object> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: made by the library and owned by this handle alone; no borrow of it is left.
        unsafe { T::free(self.pointer()) }
    }
}
