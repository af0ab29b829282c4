// Written by bindings/swig/generate (SWIG's parse tree of bindings/swig/graft.i): do not edit.
use core::ffi::{c_char, c_void};
use core::marker::{PhantomData, PhantomPinned};

/// A handle; see `graft/tokenizer.h`.
#[repr(C)]
pub struct graft_decoder {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/engine.h`.
#[repr(C)]
pub struct graft_engine {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/engine_options.h`.
#[repr(C)]
pub struct graft_engine_options {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/event.h`.
#[repr(C)]
pub struct graft_event {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/input.h`.
#[repr(C)]
pub struct graft_input {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/policy.h`.
#[repr(C)]
pub struct graft_policy {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/profile.h`.
#[repr(C)]
pub struct graft_profile {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/queue.h`.
#[repr(C)]
pub struct graft_queue {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/request.h`.
#[repr(C)]
pub struct graft_request {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/request_options.h`.
#[repr(C)]
pub struct graft_request_options {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/string.h`.
#[repr(C)]
pub struct graft_string {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/tensor.h`.
#[repr(C)]
pub struct graft_tensor {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A handle; see `graft/tokenizer.h`.
#[repr(C)]
pub struct graft_tokenizer {
    _bytes: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// See `graft/tensor.h`.
pub type graft_dtype = i32;

/// See `graft/event.h`.
pub type graft_event_type = i32;

/// See `graft/event.h`.
pub type graft_finish_reason = i32;

/// See `graft/log.h`.
pub type graft_log_level = i32;

/// See `graft/request_options.h`.
pub type graft_pooling = i32;

/// See `graft/request_options.h`.
pub type graft_request_kind = i32;

/// See `graft/status.h`.
pub type graft_status = i32;

/// See `graft/event.h`.
pub type graft_usage = i32;

/// See `graft/engine_options.h`.
pub type graft_weights = i32;

/// See `graft/log.h`.
pub type graft_log_callback = Option<unsafe extern "C" fn(user: *mut c_void, level: graft_log_level, message: *const c_char)>;

/// See `graft/engine_options.h`.
pub type graft_progress_callback = Option<unsafe extern "C" fn(user: *mut c_void, fraction: f64, what: *const c_char) -> i32>;

/// See `graft/library.h`.
pub const GRAFT_ABI_VERSION: i32 = 1;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_BFLOAT16: i32 = 2;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_BOOLEAN: i32 = 9;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_FLOAT16: i32 = 3;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_FLOAT32: i32 = 1;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_FLOAT64: i32 = 10;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_INT32: i32 = 6;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_INT4: i32 = 5;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_INT64: i32 = 7;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_INT8: i32 = 4;
/// See `graft/tensor.h`.
pub const GRAFT_DTYPE_UINT8: i32 = 8;
/// See `graft/event.h`.
pub const GRAFT_EVENT_ERROR: i32 = 4;
/// See `graft/event.h`.
pub const GRAFT_EVENT_FINISHED: i32 = 3;
/// See `graft/event.h`.
pub const GRAFT_EVENT_NONE: i32 = -1;
/// See `graft/event.h`.
pub const GRAFT_EVENT_PROGRESS: i32 = 2;
/// See `graft/event.h`.
pub const GRAFT_EVENT_TEXT: i32 = 1;
/// See `graft/event.h`.
pub const GRAFT_EVENT_TOKEN: i32 = 0;
/// See `graft/event.h`.
pub const GRAFT_FINISH_CANCELLED: i32 = 3;
/// See `graft/event.h`.
pub const GRAFT_FINISH_DEADLINE: i32 = 4;
/// See `graft/event.h`.
pub const GRAFT_FINISH_ERROR: i32 = 5;
/// See `graft/event.h`.
pub const GRAFT_FINISH_LENGTH: i32 = 2;
/// See `graft/event.h`.
pub const GRAFT_FINISH_NONE: i32 = 0;
/// See `graft/event.h`.
pub const GRAFT_FINISH_STOP: i32 = 1;
/// See `graft/log.h`.
pub const GRAFT_LOG_DEBUG: i32 = 4;
/// See `graft/log.h`.
pub const GRAFT_LOG_ERROR: i32 = 1;
/// See `graft/log.h`.
pub const GRAFT_LOG_INFO: i32 = 3;
/// See `graft/log.h`.
pub const GRAFT_LOG_OFF: i32 = 0;
/// See `graft/log.h`.
pub const GRAFT_LOG_WARNING: i32 = 2;
/// See `graft/request_options.h`.
pub const GRAFT_POOLING_CLS: i32 = 2;
/// See `graft/request_options.h`.
pub const GRAFT_POOLING_LAST: i32 = 3;
/// See `graft/request_options.h`.
pub const GRAFT_POOLING_MEAN: i32 = 1;
/// See `graft/request_options.h`.
pub const GRAFT_POOLING_MODEL: i32 = 0;
/// See `graft/request_options.h`.
pub const GRAFT_POOLING_NONE: i32 = 4;
/// See `graft/request_options.h`.
pub const GRAFT_REQUEST_EMBED: i32 = 2;
/// See `graft/request_options.h`.
pub const GRAFT_REQUEST_GENERATE: i32 = 0;
/// See `graft/request_options.h`.
pub const GRAFT_REQUEST_HIDDEN: i32 = 3;
/// See `graft/request_options.h`.
pub const GRAFT_REQUEST_LOGITS: i32 = 1;
/// See `graft/status.h`.
pub const GRAFT_STATUS_BUFFER_TOO_SMALL: i32 = 12;
/// See `graft/status.h`.
pub const GRAFT_STATUS_BUSY: i32 = 6;
/// See `graft/status.h`.
pub const GRAFT_STATUS_CANCELLED: i32 = 13;
/// See `graft/status.h`.
pub const GRAFT_STATUS_CLOSED: i32 = 16;
/// See `graft/status.h`.
pub const GRAFT_STATUS_COMM_ERROR: i32 = 9;
/// See `graft/status.h`.
pub const GRAFT_STATUS_CORRUPT_DATA: i32 = 11;
/// See `graft/status.h`.
pub const GRAFT_STATUS_DEADLINE_EXCEEDED: i32 = 15;
/// See `graft/status.h`.
pub const GRAFT_STATUS_DEVICE_ERROR: i32 = 8;
/// See `graft/status.h`.
pub const GRAFT_STATUS_END: i32 = 18;
/// See `graft/status.h`.
pub const GRAFT_STATUS_INTERNAL: i32 = 19;
/// See `graft/status.h`.
pub const GRAFT_STATUS_INVALID_ARGUMENT: i32 = 1;
/// See `graft/status.h`.
pub const GRAFT_STATUS_INVALID_STATE: i32 = 2;
/// See `graft/status.h`.
pub const GRAFT_STATUS_IO_ERROR: i32 = 10;
/// See `graft/status.h`.
pub const GRAFT_STATUS_LIMIT_EXCEEDED: i32 = 5;
/// See `graft/status.h`.
pub const GRAFT_STATUS_NOT_FOUND: i32 = 3;
/// See `graft/status.h`.
pub const GRAFT_STATUS_OK: i32 = 0;
/// See `graft/status.h`.
pub const GRAFT_STATUS_OUT_OF_MEMORY: i32 = 7;
/// See `graft/status.h`.
pub const GRAFT_STATUS_TIMEOUT: i32 = 14;
/// See `graft/status.h`.
pub const GRAFT_STATUS_UNSUPPORTED: i32 = 4;
/// See `graft/status.h`.
pub const GRAFT_STATUS_VERSION_MISMATCH: i32 = 17;
/// See `graft/tensor.h`.
pub const GRAFT_TENSOR_MAX_RANK: i32 = 8;
/// See `graft/event.h`.
pub const GRAFT_USAGE_CACHED_TOKENS: i32 = 2;
/// See `graft/event.h`.
pub const GRAFT_USAGE_COMPLETION_TOKENS: i32 = 1;
/// See `graft/event.h`.
pub const GRAFT_USAGE_PROMPT_TOKENS: i32 = 0;
/// See `graft/engine_options.h`.
pub const GRAFT_WEIGHTS_MAP: i32 = 0;
/// See `graft/engine_options.h`.
pub const GRAFT_WEIGHTS_READ: i32 = 1;

unsafe extern "C" {
    /// See `graft/library.h`.
    pub fn graft_abi_version() -> i32;
    /// See `graft/tokenizer.h`.
    pub fn graft_decoder_free(decoder: *mut graft_decoder);
    /// See `graft/tokenizer.h`.
    pub fn graft_decoder_new(tokenizer: *mut graft_tokenizer, skip_special: i32, out_decoder: *mut *mut graft_decoder) -> graft_status;
    /// See `graft/tokenizer.h`.
    pub fn graft_decoder_push(decoder: *mut graft_decoder, token: i64, out_text: *mut *mut graft_string) -> graft_status;
    /// See `graft/library.h`.
    pub fn graft_doctor(out_json: *mut *mut graft_string) -> graft_status;
    /// See `graft/engine.h`.
    pub fn graft_engine_close(engine: *mut graft_engine, timeout_ms: i64) -> graft_status;
    /// See `graft/engine.h`.
    pub fn graft_engine_free(engine: *mut graft_engine);
    /// See `graft/engine.h`.
    pub fn graft_engine_info(engine: *mut graft_engine, out_json: *mut *mut graft_string) -> graft_status;
    /// See `graft/engine.h`.
    pub fn graft_engine_inspect(path: *const c_char, path_size: i64, options: *const graft_engine_options, out_json: *mut *mut graft_string) -> graft_status;
    /// See `graft/engine.h`.
    pub fn graft_engine_open(path: *const c_char, path_size: i64, options: *const graft_engine_options, out_engine: *mut *mut graft_engine) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_add_policy(options: *mut graft_engine_options, policy: *const graft_policy) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_free(options: *mut graft_engine_options);
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_new(out_options: *mut *mut graft_engine_options) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_context_limit(options: *mut graft_engine_options, tokens: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_device(options: *mut graft_engine_options, device: *const c_char, device_size: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_dtype(options: *mut graft_engine_options, dtype: *const c_char, dtype_size: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_expert_parallel(options: *mut graft_engine_options, ranks: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_graph(options: *mut graft_engine_options, enabled: i32) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_injection(options: *mut graft_engine_options, injection: *const c_char, injection_size: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_json(options: *mut graft_engine_options, json: *const c_char, json_size: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_library_directory(options: *mut graft_engine_options, directory: *const c_char, directory_size: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_max_queue(options: *mut graft_engine_options, requests: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_max_sequences(options: *mut graft_engine_options, sequences: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_memory_limit(options: *mut graft_engine_options, bytes: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_progress(options: *mut graft_engine_options, callback: graft_progress_callback, user: *mut c_void) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_quantization(options: *mut graft_engine_options, bits: i32, group_size: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_rank(options: *mut graft_engine_options, rank: i64, world: i64, address: *const c_char, address_size: i64, port: i64, timeout_ms: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_run_ahead_ms(options: *mut graft_engine_options, milliseconds: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_tensor_parallel(options: *mut graft_engine_options, ranks: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_threads(options: *mut graft_engine_options, threads: i64) -> graft_status;
    /// See `graft/engine_options.h`.
    pub fn graft_engine_options_set_weights(options: *mut graft_engine_options, weights: graft_weights) -> graft_status;
    /// See `graft/profile.h`.
    pub fn graft_engine_profile(engine: *mut graft_engine, enabled: i32) -> graft_status;
    /// See `graft/engine.h`.
    pub fn graft_engine_save(engine: *mut graft_engine, directory: *const c_char, directory_size: i64) -> graft_status;
    /// See `graft/engine.h`.
    pub fn graft_engine_stats(engine: *mut graft_engine, out_json: *mut *mut graft_string) -> graft_status;
    /// See `graft/engine.h`.
    pub fn graft_engine_tokenizer(engine: *mut graft_engine, out_tokenizer: *mut *mut graft_tokenizer) -> graft_status;
    /// See `graft/engine.h`.
    pub fn graft_engine_wait(engine: *mut graft_engine, timeout_ms: i64) -> graft_status;
    /// See `graft/event.h`.
    pub fn graft_event_finish_reason(event: *const graft_event) -> graft_finish_reason;
    /// See `graft/event.h`.
    pub fn graft_event_free(event: *mut graft_event);
    /// See `graft/event.h`.
    pub fn graft_event_kind(event: *const graft_event) -> graft_event_type;
    /// See `graft/event.h`.
    pub fn graft_event_last(event: *const graft_event) -> i32;
    /// See `graft/event.h`.
    pub fn graft_event_logprob(event: *const graft_event) -> f64;
    /// See `graft/event.h`.
    pub fn graft_event_message(event: *const graft_event) -> *const c_char;
    /// See `graft/event.h`.
    pub fn graft_event_new(out_event: *mut *mut graft_event) -> graft_status;
    /// See `graft/event.h`.
    pub fn graft_event_progress(event: *const graft_event) -> f64;
    /// See `graft/event.h`.
    pub fn graft_event_sequence(event: *const graft_event) -> i64;
    /// See `graft/event.h`.
    pub fn graft_event_status(event: *const graft_event) -> graft_status;
    /// See `graft/event.h`.
    pub fn graft_event_tag(event: *const graft_event) -> i64;
    /// See `graft/event.h`.
    pub fn graft_event_text(event: *const graft_event, out_size: *mut i64) -> *const c_char;
    /// See `graft/event.h`.
    pub fn graft_event_token(event: *const graft_event) -> i64;
    /// See `graft/event.h`.
    pub fn graft_event_top_logprobs(event: *const graft_event, out_tokens: *mut i64, out_logprobs: *mut f64, capacity: i64, out_count: *mut i64) -> graft_status;
    /// See `graft/event.h`.
    pub fn graft_event_usage(event: *const graft_event, usage: graft_usage) -> i64;
    /// See `graft/input.h`.
    pub fn graft_input_free(input: *mut graft_input);
    /// See `graft/input.h`.
    pub fn graft_input_new(out_input: *mut *mut graft_input) -> graft_status;
    /// See `graft/input.h`.
    pub fn graft_input_set_chat(input: *mut graft_input, messages: *const c_char, messages_size: i64) -> graft_status;
    /// See `graft/input.h`.
    pub fn graft_input_set_decoder_tokens(input: *mut graft_input, tokens: *const i64, token_count: i64) -> graft_status;
    /// See `graft/input.h`.
    pub fn graft_input_set_tensor(input: *mut graft_input, name: *const c_char, name_size: i64, tensor: *const graft_tensor) -> graft_status;
    /// See `graft/input.h`.
    pub fn graft_input_set_text(input: *mut graft_input, text: *const c_char, text_size: i64) -> graft_status;
    /// See `graft/input.h`.
    pub fn graft_input_set_token_types(input: *mut graft_input, types: *const i64, type_count: i64) -> graft_status;
    /// See `graft/input.h`.
    pub fn graft_input_set_tokens(input: *mut graft_input, tokens: *const i64, token_count: i64) -> graft_status;
    /// See `graft/status.h`.
    pub fn graft_last_error_message() -> *const c_char;
    /// See `graft/log.h`.
    pub fn graft_log_set_callback(callback: graft_log_callback, user: *mut c_void) -> graft_status;
    /// See `graft/log.h`.
    pub fn graft_log_set_level(level: graft_log_level) -> graft_status;
    /// See `graft/policy.h`.
    pub fn graft_policy_free(policy: *mut graft_policy);
    /// See `graft/policy.h`.
    pub fn graft_policy_from_json(json: *const c_char, json_size: i64, out_policy: *mut *mut graft_policy) -> graft_status;
    /// See `graft/policy.h`.
    pub fn graft_policy_row_parallel(layer_class: *const c_char, layer_class_size: i64, names: *const *const c_char, name_count: i64, out_policy: *mut *mut graft_policy) -> graft_status;
    /// See `graft/profile.h`.
    pub fn graft_profile_count(profile: *const graft_profile) -> i64;
    /// See `graft/profile.h`.
    pub fn graft_profile_free(profile: *mut graft_profile);
    /// See `graft/profile.h`.
    pub fn graft_profile_milliseconds(profile: *const graft_profile, out_milliseconds: *mut f64, capacity: i64, out_count: *mut i64) -> graft_status;
    /// See `graft/profile.h`.
    pub fn graft_profile_table(profile: *const graft_profile, out_json: *mut *mut graft_string) -> graft_status;
    /// See `graft/profile.h`.
    pub fn graft_profile_take(engine: *mut graft_engine, out_profile: *mut *mut graft_profile) -> graft_status;
    /// See `graft/queue.h`.
    pub fn graft_queue_free(queue: *mut graft_queue);
    /// See `graft/queue.h`.
    pub fn graft_queue_new(out_queue: *mut *mut graft_queue) -> graft_status;
    /// See `graft/queue.h`.
    pub fn graft_queue_next(queue: *mut graft_queue, timeout_ms: i64, event: *mut graft_event) -> graft_status;
    /// See `graft/queue.h`.
    pub fn graft_queue_wake(queue: *mut graft_queue) -> graft_status;
    /// See `graft/request.h`.
    pub fn graft_request_cancel(request: *mut graft_request) -> graft_status;
    /// See `graft/request.h`.
    pub fn graft_request_error_message(request: *const graft_request) -> *const c_char;
    /// See `graft/request.h`.
    pub fn graft_request_free(request: *mut graft_request);
    /// See `graft/request.h`.
    pub fn graft_request_next(request: *mut graft_request, timeout_ms: i64, event: *mut graft_event) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_add_stop(options: *mut graft_request_options, text: *const c_char, text_size: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_free(options: *mut graft_request_options);
    /// See `graft/request_options.h`.
    pub fn graft_request_options_new(out_options: *mut *mut graft_request_options) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_allowed_tokens(options: *mut graft_request_options, tokens: *const i64, token_count: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_banned_tokens(options: *mut graft_request_options, tokens: *const i64, token_count: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_cache_salt(options: *mut graft_request_options, salt: *const c_char, salt_size: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_deadline_ms(options: *mut graft_request_options, milliseconds: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_frequency_penalty(options: *mut graft_request_options, penalty: f64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_greedy(options: *mut graft_request_options, enabled: i32) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_ignore_eos(options: *mut graft_request_options, enabled: i32) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_json(options: *mut graft_request_options, json: *const c_char, json_size: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_kind(options: *mut graft_request_options, kind: graft_request_kind) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_length_penalty(options: *mut graft_request_options, penalty: f64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_logit_bias(options: *mut graft_request_options, tokens: *const i64, values: *const f64, count: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_max_tokens(options: *mut graft_request_options, tokens: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_min_p(options: *mut graft_request_options, min_p: f64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_min_tokens(options: *mut graft_request_options, tokens: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_no_repeat_ngram(options: *mut graft_request_options, length: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_num_beams(options: *mut graft_request_options, beams: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_num_sequences(options: *mut graft_request_options, sequences: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_penalty_window(options: *mut graft_request_options, tokens: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_pooling(options: *mut graft_request_options, pooling: graft_pooling) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_presence_penalty(options: *mut graft_request_options, penalty: f64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_priority(options: *mut graft_request_options, priority: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_repetition_penalty(options: *mut graft_request_options, penalty: f64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_seed(options: *mut graft_request_options, seed: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_stop_tokens(options: *mut graft_request_options, tokens: *const i64, token_count: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_temperature(options: *mut graft_request_options, temperature: f64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_top_k(options: *mut graft_request_options, top_k: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_top_logprobs(options: *mut graft_request_options, count: i64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_top_p(options: *mut graft_request_options, top_p: f64) -> graft_status;
    /// See `graft/request_options.h`.
    pub fn graft_request_options_set_typical_p(options: *mut graft_request_options, typical_p: f64) -> graft_status;
    /// See `graft/request.h`.
    pub fn graft_request_submit(engine: *mut graft_engine, input: *const graft_input, options: *const graft_request_options, queue: *mut graft_queue, tag: i64, out_request: *mut *mut graft_request) -> graft_status;
    /// See `graft/request.h`.
    pub fn graft_request_tensor(request: *mut graft_request, name: *const c_char, name_size: i64, out_tensor: *mut *mut graft_tensor) -> graft_status;
    /// See `graft/request.h`.
    pub fn graft_request_wait(request: *mut graft_request, timeout_ms: i64) -> graft_status;
    /// See `graft/status.h`.
    pub fn graft_status_name(status: graft_status) -> *const c_char;
    /// See `graft/string.h`.
    pub fn graft_string_data(string: *const graft_string) -> *const c_char;
    /// See `graft/string.h`.
    pub fn graft_string_free(string: *mut graft_string);
    /// See `graft/string.h`.
    pub fn graft_string_size(string: *const graft_string) -> i64;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_byte_size(tensor: *const graft_tensor) -> i64;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_data(tensor: *const graft_tensor) -> *const c_void;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_device(tensor: *const graft_tensor) -> *const c_char;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_dtype(tensor: *const graft_tensor) -> graft_dtype;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_free(tensor: *mut graft_tensor);
    /// See `graft/tensor.h`.
    pub fn graft_tensor_from_dlpack(managed: *mut c_void, out_tensor: *mut *mut graft_tensor) -> graft_status;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_new(dtype: graft_dtype, shape: *const i64, rank: i32, data: *const c_void, data_size: i64, out_tensor: *mut *mut graft_tensor) -> graft_status;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_rank(tensor: *const graft_tensor) -> i32;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_shape(tensor: *const graft_tensor) -> *const i64;
    /// See `graft/tensor.h`.
    pub fn graft_tensor_to_dlpack(tensor: *const graft_tensor, out_managed: *mut *mut c_void) -> graft_status;
    /// See `graft/tokenizer.h`.
    pub fn graft_tokenizer_apply_chat_template(tokenizer: *mut graft_tokenizer, messages: *const c_char, messages_size: i64, options: *const c_char, options_size: i64, out_text: *mut *mut graft_string) -> graft_status;
    /// See `graft/tokenizer.h`.
    pub fn graft_tokenizer_decode(tokenizer: *mut graft_tokenizer, tokens: *const i64, token_count: i64, skip_special: i32, out_text: *mut *mut graft_string) -> graft_status;
    /// See `graft/tokenizer.h`.
    pub fn graft_tokenizer_encode(tokenizer: *mut graft_tokenizer, text: *const c_char, text_size: i64, add_special: i32, out_tokens: *mut i64, capacity: i64, out_count: *mut i64) -> graft_status;
    /// See `graft/tokenizer.h`.
    pub fn graft_tokenizer_free(tokenizer: *mut graft_tokenizer);
    /// See `graft/tokenizer.h`.
    pub fn graft_tokenizer_id_of(tokenizer: *mut graft_tokenizer, piece: *const c_char, piece_size: i64, out_token: *mut i64) -> graft_status;
    /// See `graft/tokenizer.h`.
    pub fn graft_tokenizer_open(path: *const c_char, path_size: i64, out_tokenizer: *mut *mut graft_tokenizer) -> graft_status;
    /// See `graft/tokenizer.h`.
    pub fn graft_tokenizer_piece(tokenizer: *mut graft_tokenizer, token: i64, out_piece: *mut *mut graft_string) -> graft_status;
    /// See `graft/tokenizer.h`.
    pub fn graft_tokenizer_vocab_size(tokenizer: *const graft_tokenizer) -> i64;
    /// See `graft/library.h`.
    pub fn graft_version() -> *const c_char;
}
