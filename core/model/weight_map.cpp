#include "core/model/weight_map.h"

#include <algorithm>
#include <unordered_set>

#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {
namespace {

/// How the class's names read in this checkpoint.
struct Naming {
  std::string base;  ///< stands in place of the blueprint's base prefix
  std::string rest;  ///< stands before names outside of the base model (the head)

  std::string name_of(const Blueprint& blueprint, const std::string& name) const {
    if (name.starts_with(blueprint.base_prefix)) return base + name.substr(blueprint.base_prefix.size());
    return rest + name;
  }
};

const ModuleSpec& module_of(const Blueprint& blueprint, Role role) {
  for (const ModuleSpec& module : blueprint.modules) {
    if (module.role == role) return module;
  }
  fail(StatusCode::internal, "blueprint of {} lacks a needed module", blueprint.config.architecture);
}

// What every token or every patch of the input goes through.
const ModuleSpec& input_embedding(const Blueprint& blueprint) {
  return module_of(blueprint, blueprint.config.image ? Role::patch_embedding : Role::token_embedding);
}

Naming find_naming(const Blueprint& blueprint, const Checkpoint& checkpoint) {
  std::vector<Naming> candidates = {{blueprint.base_prefix, ""}, {"", ""}};
  if (!blueprint.wrapped_prefix.empty()) candidates = {{"", ""}, {blueprint.wrapped_prefix, ""}};
  if (blueprint.multimodal) {
    candidates = {{"model.language_model.", ""},
                  {"language_model." + blueprint.base_prefix, "language_model."},
                  {"model.text_model.", ""},
                  {blueprint.base_prefix, ""}};
    if (!blueprint.wrapped_prefix.empty()) candidates.push_back({blueprint.wrapped_prefix, ""});
  }
  const std::string anchor = input_embedding(blueprint).path + ".weight";
  for (const Naming& naming : candidates) {
    if (checkpoint.contains(naming.name_of(blueprint, anchor))) return naming;
  }
  fail(StatusCode::not_found, "{}: tensor '{}' is missing (nor is it there under another prefix)", checkpoint.path(),
       candidates.front().name_of(blueprint, anchor));
}

bool can_be_weight(DType dtype) {
  return dtype == DType::float32 || dtype == DType::bfloat16 || dtype == DType::float16;
}

void check_surplus(const Blueprint& blueprint, const Checkpoint& checkpoint, const Naming& naming,
                   const std::unordered_set<std::string>& used) {
  for (const TensorEntry& tensor : checkpoint.tensors()) {
    if (used.contains(tensor.name)) continue;
    // Another half of a multimodal checkpoint is not ours to judge.
    if (blueprint.multimodal && !tensor.name.starts_with(naming.base)) continue;
    const auto skipped = [&](const std::string& pattern) { return matches(pattern, tensor.name); };
    if (std::ranges::any_of(blueprint.skipped_tensors, skipped)) continue;
    fail(StatusCode::corrupt_data, "{}: tensor {} {} is not part of {} as config.json describes it", checkpoint.path(),
         quote(tensor.name), to_string(tensor.shape), blueprint.config.architecture);
  }
}

int64_t bytes_of(const ParameterSpec& parameter, const TensorEntry& entry) {
  int64_t elements = 1;
  for (int64_t length : parameter.shape) elements *= length;
  return elements * (bits_of(entry.dtype) / 8);
}

// Read piece by piece, as a file may be one that shrinks.
bool equal_bytes(const TensorEntry& a, const TensorEntry& b) {
  constexpr int64_t piece = int64_t{1} << 20;
  std::vector<std::byte> of_a, of_b;
  for (int64_t begin = 0; begin < a.byte_size; begin += piece) {
    const int64_t bytes = std::min(piece, a.byte_size - begin);
    of_a.resize(static_cast<size_t>(bytes));
    of_b.resize(static_cast<size_t>(bytes));
    a.file->read(a.data - a.file->data() + begin, bytes, of_a.data());
    b.file->read(b.data - b.file->data() + begin, bytes, of_b.data());
    if (of_a != of_b) return false;
  }
  return true;
}

// Whether a tied weight is in the checkpoint with values of its own. Transformers then takes them, whatever config.json
// says of the tie.
bool stored_apart(const Checkpoint& checkpoint, const std::string& own_name, const std::string& embedding_name) {
  const TensorEntry* own = checkpoint.find(own_name);
  const TensorEntry* embedding = checkpoint.find(embedding_name);
  if (own == nullptr || embedding == nullptr || own->data == embedding->data) return false;
  return own->dtype != embedding->dtype || own->shape != embedding->shape || !equal_bytes(*own, *embedding);
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  // Greedy matching with one point to come back to is enough for '*'.
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::shared_ptr<const MappedFile>> WeightMap::files() const {
  std::vector<std::shared_ptr<const MappedFile>> found;
  for (const auto& module : entries) {
    for (const TensorEntry& entry : module) {
      if (std::ranges::find(found, entry.file) == found.end()) found.push_back(entry.file);
    }
  }
  return found;
}

WeightMap map_weights(const Blueprint& blueprint, const Checkpoint& checkpoint) {
  const Naming naming = find_naming(blueprint, checkpoint);
  const ModuleSpec& embedding = input_embedding(blueprint);
  WeightMap map;
  std::unordered_set<std::string> used;
  for (const ModuleSpec& module : blueprint.modules) {
    std::vector<TensorEntry>& entries = map.entries.emplace_back();
    const bool tied = module.role == Role::head && blueprint.config.tied_head;
    for (const ParameterSpec& parameter : module.parameters) {
      const std::string own_name = naming.name_of(blueprint, module.path + "." + parameter.name);
      if (tied) used.insert(own_name);  // a stored copy of the tied weight is ignored
      const std::string embedding_name = naming.name_of(blueprint, embedding.path + ".weight");
      const bool from_embedding =
          tied && parameter.name == "weight" && !stored_apart(checkpoint, own_name, embedding_name);
      std::string name = from_embedding ? embedding_name : own_name;
      for (const std::string& full_name : parameter.other_names) {
        const std::string other = naming.name_of(blueprint, full_name);
        if (!checkpoint.contains(other)) continue;
        used.insert(other);
        if (!checkpoint.contains(name)) name = other;
      }
      const std::vector<int64_t>& stored_shape = parameter.part ? parameter.part->shape : parameter.shape;
      const TensorEntry& entry = checkpoint.require(name, stored_shape);
      if (!can_be_weight(entry.dtype)) {
        fail(StatusCode::unsupported, "{}: tensor {} is {}, expected F32, BF16 or F16", entry.file->path(), quote(name),
             entry.dtype_name);
      }
      used.insert(name);
      if (!from_embedding) map.bytes += bytes_of(parameter, entry);
      if (&module == &embedding) map.stored_dtype = entry.dtype;
      entries.push_back(entry);
    }
  }
  check_surplus(blueprint, checkpoint, naming, used);
  return map;
}

}  // namespace graft
