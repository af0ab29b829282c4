// The interface that SWIG reads, for every language. The raw layer it makes is flat: one function for each function of
// the C ABI, handles as numbers, failures with their text taken in the same native call. The public layers stand on
// it by hand, one folder for each language.
//
//   swig -java -DSWIGWORDSIZE64 -Ibindings/java/swig -Icapi/include ... bindings/swig/graft.i
//
// language.i is the one file that a language brings (bindings/<language>/swig): it gives the typemaps of the catalogue
// in README.md. patterns.i says which arguments of the headers they hold for.
%module graft_raw

%{
#include <graft/graft.h>
%}

%include <stdint.i>
%include "language.i"
%include "patterns.i"
%include "by_hand.i"

%include <graft/export.h>
%include <graft/status.h>
%include <graft/string.h>
%include <graft/library.h>
%include <graft/log.h>
%include <graft/policy.h>
%include <graft/engine_options.h>
%include <graft/tensor.h>
%include <graft/tokenizer.h>
%include <graft/engine.h>
%include <graft/event.h>
%include <graft/input.h>
%include <graft/queue.h>
%include <graft/request_options.h>
%include <graft/request.h>
%include <graft/profile.h>
