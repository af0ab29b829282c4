// cuBLASLt on host memory: products by the definition, with the checks that a wrong call would fail on a device.
#include "kernels/cuda/host/cublas_lt.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/spec/convert.h"
#include "tests/cuda/emulated/emulation.h"

namespace graft::kernels::cuda {

struct LtHandleObject {};
struct LtDescriptionObject {
  LtOperation transpose_a = lt_as_it_is, transpose_b = lt_as_it_is;
};
struct LtLayoutObject {
  LtType type;
  int64_t rows, columns, stride;
};
struct LtPreferenceObject {
  uint64_t workspace = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};  // of a, b, c, d
};

namespace {

struct Algorithm {
  uint32_t alignment[4];
  uint32_t workspace;
  int64_t columns;
};
static_assert(sizeof(Algorithm) <= sizeof(LtAlgorithm));

template <class Object>
LtStatus destroy(Object* object) {
  if (object == nullptr) return lt_invalid_value;
  delete object;
  return lt_success;
}

template <class Value>
bool take(Value& to, const void* value, size_t bytes) {
  if (bytes != sizeof to) return false;
  to = *static_cast<const Value*>(value);
  return true;
}

// a is [depth, m] to be transposed, b [depth, n], d [m, n], all by columns.
bool fits(const LtDescriptionObject& op, const LtLayoutObject& a, const LtLayoutObject& b, const LtLayoutObject& d) {
  return op.transpose_a == lt_transposed && op.transpose_b == lt_as_it_is && a.rows == b.rows && d.rows == a.columns &&
         d.columns == b.columns && a.type == b.type && a.type != lt_float32 && d.type == lt_float32 &&
         a.stride >= a.rows && b.stride >= b.rows && d.stride >= d.rows;
}

std::vector<float> column_of(const void* matrix, const LtLayoutObject& layout, int64_t column) {
  const DType type = layout.type == lt_bfloat16 ? DType::bfloat16 : DType::float16;
  std::vector<float> values(static_cast<size_t>(layout.rows));
  for (int64_t row = 0; row < layout.rows; ++row) {
    values[static_cast<size_t>(row)] = load_float(matrix, column * layout.stride + row, type);
  }
  return values;
}

float product_of(const std::vector<float>& a, const std::vector<float>& b) {
  float sums[16] = {};  // side by side, or large products would take long
  const size_t whole = a.size() / 16 * 16;
  for (size_t i = 0; i < whole; i += 16) {
    for (size_t j = 0; j < 16; ++j) sums[j] += a[i + j] * b[i + j];
  }
  for (size_t i = whole; i < a.size(); ++i) sums[0] += a[i] * b[i];
  float sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

bool is_aligned(const void* address, uint32_t bytes) { return reinterpret_cast<uintptr_t>(address) % bytes == 0; }

LtStatus create(LtHandle* out) {
  *out = new LtHandleObject;
  return lt_success;
}
LtStatus destroy_library(LtHandle library) { return destroy(library); }

LtStatus desc_create(LtDescription* out, LtCompute compute, LtType scale) {
  if (compute != lt_compute_float32 || scale != lt_float32) return lt_invalid_value;
  *out = new LtDescriptionObject;
  return lt_success;
}
LtStatus desc_destroy(LtDescription description) { return destroy(description); }
LtStatus desc_set(LtDescription description, LtDescriptionAttribute name, const void* value, size_t bytes) {
  LtOperation& to = name == lt_operation_of_a ? description->transpose_a : description->transpose_b;
  return take(to, value, bytes) ? lt_success : lt_invalid_value;
}

LtStatus layout_create(LtLayout* out, LtType type, uint64_t rows, uint64_t columns, int64_t stride) {
  *out = new LtLayoutObject{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), stride};
  return lt_success;
}
LtStatus layout_destroy(LtLayout layout) { return destroy(layout); }

LtStatus preference_create(LtPreference* out) {
  *out = new LtPreferenceObject;
  return lt_success;
}
LtStatus preference_destroy(LtPreference preference) { return destroy(preference); }
LtStatus preference_set(LtPreference preference, LtPreferenceAttribute name, const void* value, size_t bytes) {
  const bool taken = name == lt_most_workspace_bytes
                         ? take(preference->workspace, value, bytes)
                         : take(preference->alignment[name - lt_alignment_of_a], value, bytes);
  return taken ? lt_success : lt_invalid_value;
}

LtStatus find_algorithms(LtHandle, LtDescription description, LtLayout a, LtLayout b, LtLayout c, LtLayout d,
                         LtPreference preference, int wanted, LtHeuristic* out, int* out_count) {
  *out_count = 0;
  ++emulated::device().algorithms_asked;
  if (wanted < 1 || c != d || !fits(*description, *a, *b, *d)) return lt_invalid_value;
  if (emulated::device().cublas_lt == emulated::CublasLt::without_algorithms) return lt_not_supported;
  Algorithm algorithm = {};
  std::copy_n(preference->alignment, 4, algorithm.alignment);
  algorithm.workspace = static_cast<uint32_t>(preference->workspace);
  algorithm.columns = d->rows;
  out[0] = {};
  std::memcpy(&out[0].algorithm, &algorithm, sizeof algorithm);
  *out_count = 1;
  return lt_success;
}

LtStatus matmul(LtHandle, LtDescription description, const void* alpha, const void* a, LtLayout a_layout, const void* b,
                LtLayout b_layout, const void* beta, const void* c, LtLayout c_layout, void* d, LtLayout d_layout,
                const LtAlgorithm* algorithm, void* workspace, size_t workspace_bytes, void*) {
  Algorithm chosen;
  std::memcpy(&chosen, algorithm, sizeof chosen);
  if (c != d || c_layout != d_layout || !fits(*description, *a_layout, *b_layout, *d_layout) ||
      chosen.columns != d_layout->rows || !is_aligned(a, chosen.alignment[0]) || !is_aligned(b, chosen.alignment[1]) ||
      !is_aligned(d, chosen.alignment[3]) || !is_aligned(workspace, 256) || workspace_bytes < chosen.workspace) {
    return lt_invalid_value;
  }
  std::memset(workspace, 0xff, workspace_bytes);  // it is the library's, wholly
  const float alpha_value = *static_cast<const float*>(alpha), beta_value = *static_cast<const float*>(beta);
  std::vector<std::vector<float>> columns;
  for (int64_t i = 0; i < b_layout->columns; ++i) columns.push_back(column_of(b, *b_layout, i));
  for (int64_t row = 0; row < d_layout->rows; ++row) {
    const std::vector<float> weights = column_of(a, *a_layout, row);
    for (int64_t column = 0; column < d_layout->columns; ++column) {
      float& to = static_cast<float*>(d)[column * d_layout->stride + row];
      const float sum = alpha_value * product_of(weights, columns[static_cast<size_t>(column)]);
      to = beta_value == 0 ? sum : sum + beta_value * to;  // without beta what was there is not read
    }
  }
  return lt_success;
}

}  // namespace

const CublasLt* cublas_lt() {
  static constexpr CublasLt functions = {
      create,         destroy_library,   desc_create,        desc_destroy,   desc_set,        layout_create,
      layout_destroy, preference_create, preference_destroy, preference_set, find_algorithms, matmul,
  };
  return emulated::device().cublas_lt == emulated::CublasLt::absent ? nullptr : &functions;
}

}  // namespace graft::kernels::cuda
