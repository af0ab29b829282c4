#include "core/injection/replace_module.h"

#include <algorithm>
#include <vector>

#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {
namespace {

class Walk {
 public:
  Walk(std::span<const std::string> classes, ModelLoader& loader, const ReplaceModule& replace)
      : classes_(classes), found_(classes.size(), false), loader_(loader), replace_(replace) {}

  void visit(Module& module, int32_t layer_above) {
    loader_.load(module);
    const bool wanted = is_wanted(module, layer_above);
    for (const auto& child : module.children()) visit(*child, module.spec().layer);
    if (wanted && replace_) replace_(module, replaced_++);
  }

  int64_t finish() const {
    for (size_t i = 0; i < classes_.size(); ++i) {
      if (!found_[i]) fail(StatusCode::invalid_argument, "the model has no layer class {}", quote(classes_[i]));
    }
    return replaced_;
  }

 private:
  bool is_wanted(const Module& module, int32_t layer_above) {
    if (classes_.empty()) return module.spec().layer >= 0 && layer_above < 0;
    const auto found = std::ranges::find(classes_, module.spec().class_name);
    if (found == classes_.end()) return false;
    found_[static_cast<size_t>(found - classes_.begin())] = true;
    return true;
  }

  std::span<const std::string> classes_;
  std::vector<bool> found_;
  ModelLoader& loader_;
  const ReplaceModule& replace_;
  int64_t replaced_ = 0;
};

}  // namespace

int64_t replace_module(Module& root, std::span<const std::string> classes, ModelLoader& loader,
                       const ReplaceModule& replace) {
  Walk walk(classes, loader, replace);
  walk.visit(root, -1);
  return walk.finish();
}

}  // namespace graft
