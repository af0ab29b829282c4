// Functions that SWIG does not wrap. Each has its reason; bindings/swig/check compares this file and the generated code
// with the export list, so that a new function without a decision fails the tests.

// Callbacks: a function pointer of each language's own, with its own rules for what is thrown in it.
%ignore graft_log_set_callback;
%ignore graft_engine_options_set_progress;
%ignore graft_log_callback;
%ignore graft_progress_callback;

// Tensors of other native libraries, by pointer: nothing that a managed language should pass around.
%ignore graft_tensor_from_dlpack;
%ignore graft_tensor_to_dlpack;

// The text of a string is taken, and the string freed, inside the call that gives it.
%ignore graft_string_data;
%ignore graft_string_size;
%ignore graft_string_free;
