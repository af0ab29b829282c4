#include "kernels/cuda/matmul.h"

#include <map>
#include <memory>
#include <new>
#include <tuple>

#include "kernels/cuda/host/cublas_lt.h"

namespace graft::kernels::cuda {
namespace {

/// An object of the library, freed by its own function.
template <class Object, LtStatus (*CublasLt::*Free)(Object)>
class Owned {
 public:
  explicit Owned(const CublasLt& functions) : functions_(functions) {}
  ~Owned() {
    if (object_ != nullptr) (functions_.*Free)(object_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  Object* out() { return &object_; }
  Object get() const { return object_; }

 private:
  const CublasLt& functions_;
  Object object_ = nullptr;
};
using Description = Owned<LtDescription, &CublasLt::desc_destroy>;
using Layout = Owned<LtLayout, &CublasLt::layout_destroy>;
using Preference = Owned<LtPreference, &CublasLt::preference_destroy>;

/// The most bytes, up to 256, that the address is a multiple of: algorithms ask for it.
uint32_t alignment_of(const void* address) {
  uint32_t bytes = 256;
  while (reinterpret_cast<uintptr_t>(address) % bytes != 0) bytes /= 2;
  return bytes;
}

/// Everything that an algorithm may depend on.
struct Key {
  DType dtype;
  int64_t rows, columns, depth, out_stride;
  uint32_t x_alignment, weight_alignment, out_alignment;

  explicit Key(const MatmulArgs& a)
      : dtype(a.dtype),
        rows(a.rows),
        columns(a.columns),
        depth(a.depth),
        out_stride(a.out_stride),
        x_alignment(alignment_of(a.x)),
        weight_alignment(alignment_of(a.weight)),
        out_alignment(alignment_of(a.out)) {}
  auto all() const {
    return std::tie(dtype, rows, columns, depth, out_stride, x_alignment, weight_alignment, out_alignment);
  }
  friend bool operator<(const Key& a, const Key& b) { return a.all() < b.all(); }
};

/// One product as the library sees it. Its matrices are stored by columns: the weights are [depth, columns], to be
/// transposed, x is [depth, rows], and the outputs are [columns, rows].
struct Product {
  explicit Product(const CublasLt& functions)
      : description(functions), weight(functions), x(functions), out(functions) {}

  bool describe(const CublasLt& functions, const Key& key) {
    const LtType type = key.dtype == DType::bfloat16 ? lt_bfloat16 : lt_float16;
    const auto rows = static_cast<uint64_t>(key.rows), columns = static_cast<uint64_t>(key.columns),
               depth = static_cast<uint64_t>(key.depth);
    const LtOperation transposed = lt_transposed;
    return functions.desc_create(description.out(), lt_compute_float32, lt_float32) == lt_success &&
           functions.desc_set(description.get(), lt_operation_of_a, &transposed, sizeof transposed) == lt_success &&
           functions.layout_create(weight.out(), type, depth, columns, key.depth) == lt_success &&
           functions.layout_create(x.out(), type, depth, rows, key.depth) == lt_success &&
           functions.layout_create(out.out(), lt_float32, columns, rows, key.out_stride) == lt_success;
  }

  bool find_algorithm(const CublasLt& functions, LtHandle library, const Key& key) {
    Preference preference(functions);
    if (functions.preference_create(preference.out()) != lt_success) return false;
    const auto set = [&](LtPreferenceAttribute name, const auto& value) {
      return functions.preference_set(preference.get(), name, &value, sizeof value) == lt_success;
    };
    if (!set(lt_most_workspace_bytes, uint64_t{matmul_workspace_bytes}) ||
        !set(lt_alignment_of_a, key.weight_alignment) || !set(lt_alignment_of_b, key.x_alignment) ||
        !set(lt_alignment_of_c, key.out_alignment) || !set(lt_alignment_of_d, key.out_alignment)) {
      return false;
    }
    LtHeuristic best = {};
    int count = 0;
    const LtStatus asked = functions.find_algorithms(library, description.get(), weight.get(), x.get(), out.get(),
                                                     out.get(), preference.get(), 1, &best, &count);
    if (asked != lt_success || count < 1 || best.state != lt_success) return false;
    algorithm = best.algorithm;
    return true;
  }

  Description description;
  Layout weight, x, out;
  LtAlgorithm algorithm = {};
};

class Library {
 public:
  explicit Library(const CublasLt& functions) : functions_(functions) {}
  ~Library() {
    products_.clear();
    if (library_ != nullptr) functions_.destroy(library_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  LtStatus start() { return functions_.create(&library_); }

  /// Null where there is no algorithm, which is kept too.
  const Product* find(const MatmulArgs& args) {
    const Key key(args);
    const auto known = products_.find(key);
    if (known != products_.end()) return known->second.get();
    auto product = std::make_unique<Product>(functions_);
    if (!product->describe(functions_, key) || !product->find_algorithm(functions_, library_, key)) product = nullptr;
    return products_.emplace(key, std::move(product)).first->second.get();
  }

  bool run(const Product& product, const MatmulArgs& a, void* stream) const {
    const float one = 1, beta = a.accumulate ? 1 : 0;
    return functions_.matmul(library_, product.description.get(), &one, a.weight, product.weight.get(), a.x,
                             product.x.get(), &beta, a.out, product.out.get(), a.out, product.out.get(),
                             &product.algorithm, a.workspace, matmul_workspace_bytes, stream) == lt_success;
  }

 private:
  const CublasLt& functions_;
  LtHandle library_ = nullptr;
  std::map<Key, std::unique_ptr<Product>> products_;
};

const Product* find(void* handle, const MatmulArgs& args) {
  try {
    return handle != nullptr ? static_cast<Library*>(handle)->find(args) : nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

bool has_matmul() { return cublas_lt() != nullptr; }

void* matmul_handle_new(int32_t* out_answer) {
  if (!has_matmul()) return nullptr;
  std::unique_ptr<Library> library(new (std::nothrow) Library(*cublas_lt()));
  if (library == nullptr) return nullptr;
  const LtStatus started = library->start();
  if (out_answer != nullptr) *out_answer = started;
  return started == lt_success ? library.release() : nullptr;
}

void matmul_handle_free(void* handle) { delete static_cast<Library*>(handle); }

bool matmul_serves(void* handle, const MatmulArgs& args) { return find(handle, args) != nullptr; }

bool matmul(void* handle, const MatmulArgs& args, void* stream) {
  const Product* product = find(handle, args);
  return product != nullptr && static_cast<const Library*>(handle)->run(*product, args, stream);
}

}  // namespace graft::kernels::cuda
