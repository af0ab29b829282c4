//! Work on a thread of its own with a limit on memory and time, for code whose own limits have holes.
//!
//! Rust cannot fail an allocation: it ends the process. So the allocator of this library watches the threads that have
//! an account. One that asks for more than it has, recurses too deep or goes on after its time is stopped inside the allocator for good;
//! its caller gets LIMIT_EXCEEDED at once. The thread and its memory are lost, which is why it may happen a few times
//! only.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::failure::{Failure, Result, Status};
use crate::guard;

pub struct Limits {
    pub memory_bytes: usize,
    pub stack_bytes: usize,
    pub time: Duration,
}

/// Threads that may be lost in the life of a process.
const LOST_AT_MOST: usize = 4;
/// Stack below which no more memory is handed out. Freeing what is nested may go deeper: it asks for none.
const DEEPEST: usize = 48 << 20;
static LOST: AtomicUsize = AtomicUsize::new(0);

#[derive(Clone, Copy, PartialEq)]
enum State {
    Running,
    Done,
    Stopped,
}

struct Account {
    bytes_left: AtomicI64,
    late: AtomicBool,
    stack_end: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
}

impl Account {
    fn end(&self, state: State) {
        // Neither the mutex nor the condition variable allocates.
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.changed.notify_all();
    }

    /// The state at the end, or Running where the time is up.
    fn wait(&self, time: Duration) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, time, |state| *state == State::Running);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn stop_here(&self) -> ! {
        ACCOUNT.set(ptr::null());
        self.end(State::Stopped);
        loop {
            unsafe { libc::pause() };
        }
    }
}

thread_local! {
    static ACCOUNT: Cell<*const Account> = const { Cell::new(ptr::null()) };
}

fn charge(bytes: i64) {
    let account = ACCOUNT.try_with(Cell::get).unwrap_or(ptr::null());
    // Safety: the thread holds its account while the pointer is set.
    let Some(account) = (unsafe { account.as_ref() }) else { return };
    let left = account.bytes_left.fetch_sub(bytes, Ordering::Relaxed) - bytes;
    if bytes > 0 {
        let here = ptr::addr_of!(left) as usize;
        let deep = here < account.stack_end.load(Ordering::Relaxed);
        if left < 0 || deep || account.late.load(Ordering::Relaxed) {
            account.stop_here();
        }
    }
}

struct Watched;

#[global_allocator]
static ALLOCATOR: Watched = Watched;

// Safety: all work is the system allocator's.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        charge(layout.size() as i64);
        System.alloc(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        charge(layout.size() as i64);
        System.alloc_zeroed(layout)
    }

    unsafe fn dealloc(&self, data: *mut u8, layout: Layout) {
        charge(-(layout.size() as i64));
        System.dealloc(data, layout);
    }

    unsafe fn realloc(&self, data: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        charge(size as i64 - layout.size() as i64);
        System.realloc(data, layout, size)
    }
}

/// Runs `body` on a new thread. `name` says what it is, in the failure.
pub fn run<T, Body>(name: &'static str, limits: &Limits, body: Body) -> Result<T>
where
    T: Send + 'static,
    Body: FnOnce() -> Result<T> + Send + 'static,
{
    if LOST.load(Ordering::Relaxed) >= LOST_AT_MOST {
        let message =
            format!("{name}: {LOST_AT_MOST} of them had to be stopped in this process, there will be no more");
        return Err(Failure::new(Status::LimitExceeded, message));
    }
    crate::limits::ensure_memory(limits.memory_bytes, 1)?;
    let account = Arc::new(Account {
        bytes_left: AtomicI64::new(limits.memory_bytes as i64),
        late: AtomicBool::new(false),
        stack_end: AtomicUsize::new(0),
        state: Mutex::new(State::Running),
        changed: Condvar::new(),
    });
    let result = Arc::new(Mutex::new(None));
    let (its_account, its_result) = (account.clone(), result.clone());
    let worker = std::thread::Builder::new()
        .name("graft-text".into())
        .stack_size(limits.stack_bytes)
        .spawn(move || {
            let top = ptr::addr_of!(its_result) as usize;
            its_account.stack_end.store(top.saturating_sub(DEEPEST), Ordering::Relaxed);
            ACCOUNT.set(Arc::as_ptr(&its_account));
            let made = guard::run(body);
            ACCOUNT.set(ptr::null());
            *its_result.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
            its_account.end(State::Done);
        })
        .map_err(|e| Failure::new(Status::OutOfMemory, format!("{name}: no thread: {e}")))?;
    let what = match account.wait(limits.time) {
        State::Done => {
            let _ = worker.join();
            let made = result.lock().unwrap_or_else(PoisonError::into_inner).take();
            return made.unwrap_or_else(|| Err(Failure::new(Status::Internal, format!("{name}: no result"))));
        }
        State::Stopped => format!("nests too deep or needs more than {} MiB", limits.memory_bytes >> 20),
        State::Running => format!("takes more than {} seconds", limits.time.as_secs()),
    };
    account.late.store(true, Ordering::Relaxed);
    LOST.fetch_add(1, Ordering::Relaxed);
    Err(Failure::new(Status::LimitExceeded, format!("{name} {what}")))
}
