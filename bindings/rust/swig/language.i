// What Rust makes of the catalogue (bindings/swig/README.md): nothing. SWIG has no backend for Rust; it writes its parse
// tree as XML, from which xml_to_rust.py makes plain declarations, so an argument stays what it is in C. The typemaps are
// empty, and here only so that patterns.i has something to apply.
%define GRAFT_CATALOGUE(PATTERN...)
%typemap(rust) PATTERN ""
%enddef
GRAFT_CATALOGUE((const char *TEXT, int64_t SIZE))
GRAFT_CATALOGUE((const int64_t *NUMBERS, int64_t COUNT))
GRAFT_CATALOGUE((const int64_t *NUMBERS, const double *VALUES, int64_t COUNT))
GRAFT_CATALOGUE((const char *const *TEXTS, int64_t COUNT))
GRAFT_CATALOGUE((const int64_t *SHAPE, int32_t RANK))
GRAFT_CATALOGUE((const void *BYTES, int64_t SIZE))
GRAFT_CATALOGUE((int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT))
GRAFT_CATALOGUE((double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT))
GRAFT_CATALOGUE((int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT))
GRAFT_CATALOGUE(graft_string **OUT_TEXT)
GRAFT_CATALOGUE(int64_t *OUT_NUMBER)
GRAFT_CATALOGUE(SWIGTYPE **OUT_HANDLE)
GRAFT_CATALOGUE(graft_status POLL)
