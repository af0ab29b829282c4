// One entry of the kernel table: an implementation of an op for some types, shapes and instruction set.
//
// Every file `kernels/reference/<op>.cpp`, `kernels/cpu/<op>_<variant>.cpp` or `kernels/cuda/<op>_<variant>.cu` defines
// exactly one `extern const Variant kernel_<folder>_<file stem>;` in namespace graft::kernels. The build finds the
// files and writes the table; nothing is listed by hand and nothing runs before main.
#pragma once

#include <cstdint>

#include "kernels/spec/context.h"

namespace graft::kernels {

enum class Op : int32_t {
  embedding,
  residual_norm,
  sum_residual_norm,
  linear,
  rotary_table,
  rotary_cache,
  attention,
  rotary_attention,
  activation,
  gather_rows,
  choose_token,
  next_step,
  route_experts,
  expert_linear,
  combine_experts,
  convert_weights,
  quantize_groups,
  // What ranks do together. Not kernels: recorded by core/containers/collectives.
  all_reduce,
  gather_columns,
};

/// Instruction sets in the order of preference: the highest that the machine has and that accepts the arguments wins.
/// Those of CUDA devices come after the CPU's; a device of capability 9.0 has sm80 and sm90, and so on. What one
/// capability alone has (sm_90a, sm_100a) needs a value of its own here.
enum class Isa : int32_t { reference = 0, baseline = 1, avx2 = 2, avx512 = 3, sm80 = 16, sm90 = 17, sm100 = 18 };

struct Variant {
  Op op;
  Isa isa;
  const char* name;  ///< "linear.avx2": shown by the profile and by `graft doctor`
  /// Whether these arguments (types, strides, shape class; never values behind pointers) can be served. Null: always.
  bool (*accepts)(const void* args);
  /// Bytes of scratch that `run` needs in args.scratch, for the capacity stated in the arguments. `workers`: those of
  /// the pool, or the multiprocessors of the device. Null: none.
  int64_t (*scratch_bytes)(const void* args, int32_t workers);
  /// Runs the op, or on a device puts it on the context's stream. `args` points to the op's argument struct. Never
  /// allocates, never throws.
  void (*run)(const void* args, const Context& context);
};

/// Every variant that was built, in no particular order.
struct VariantTable {
  const Variant* const* variants;
  int64_t count;
};

/// The table of this build. Defined by a generated file, from the kernel sources found; constant data, any thread.
const VariantTable& variant_table();

/// The same of kernels/cuda. The device library has it (and tests that run its kernels on the CPU), the core has not.
const VariantTable& cuda_kernel_table();

}  // namespace graft::kernels
