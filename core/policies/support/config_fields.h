// Fields that many families spell alike, read with their ranges.
#pragma once

#include "core/checkpoint/json.h"
#include "core/model/config.h"

namespace graft {

inline constexpr IntRange width_range{1, int64_t{1} << 20};
inline constexpr IntRange intermediate_range{1, int64_t{1} << 22};
inline constexpr IntRange vocabulary_range{1, int64_t{1} << 24};
inline constexpr IntRange layer_range{1, 4096};
inline constexpr IntRange head_range{1, 1024};
inline constexpr IntRange position_range{1, int64_t{1} << 28};
inline constexpr NumberRange epsilon_range{0.0, 1.0};

/// One of Transformers' ACT2FN.
struct NamedActivation {
  std::string_view name;
  Activation activation;
  const char* class_name;  ///< what Transformers prints: "NewGELUActivation"
};

/// Null where the name is not known.
const NamedActivation* find_activation(std::string_view name);
/// The known names, for messages.
std::string activation_names();

/// The activation function of a key: Transformers' ACT2FN names. Throws naming key, value and the known names.
Activation read_activation(const JsonObject& config, std::string_view key, std::string_view fallback);
/// The class that Transformers prints for it ("NewGELUActivation").
std::string read_activation_class(const JsonObject& config, std::string_view key, std::string_view fallback);

/// `dtype`, or `torch_dtype` as older files spell it; absent or "auto": none.
std::optional<DType> read_stored_dtype(const JsonObject& config);

/// The row that Transformers prints as padding_idx of the token embedding: `pad_token_id`, and where config.json does
/// not name that key the class's default (-1: none). -1: nothing is printed.
int64_t read_padding_row(const JsonObject& config, int64_t vocabulary, int64_t class_default = -1);

/// Detail of a Dropout module with the probability of a key, as Python prints it. Dropout does nothing in inference; it
/// is in the tree because Transformers prints it.
std::string dropout_detail(const JsonObject& json, std::string_view key, std::string_view fallback);

/// Which layers see a window: `layer_types` where given ("full_attention" / "sliding_attention"), else one from
/// `max_window_layers` on. 0 in the result: the layer sees everything.
std::vector<int64_t> read_windows(const JsonObject& config, int64_t layers, int64_t window, int64_t first_windowed);

/// The same for the Qwen 2 and 3 families, where `sliding_window` counts only with `use_sliding_window` and then from
/// layer `max_window_layers` on.
std::vector<int64_t> read_optional_windows(const JsonObject& config);

}  // namespace graft
