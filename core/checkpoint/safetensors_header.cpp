#include "core/checkpoint/safetensors_header.h"

#include <algorithm>
#include <utility>

#include "core/checkpoint/json_document.h"
#include "core/checkpoint/safetensors.h"

namespace graft {
namespace {

using nlohmann::json;

constexpr int64_t max_depth = 64;  // only __metadata__ and unknown keys can nest at all
constexpr size_t max_dtype_name = 32;

/// Depth 1 is the object of tensors, depth 2 one tensor, depth 3 its shape or data_offsets.
class HeaderReader : public nlohmann::json_sax<json> {
 public:
  HeaderReader(std::vector<SafetensorsHeaderEntry>& entries, const std::string& source)
      : entries_(entries), source_(source) {}

  bool null() override { return scalar("null"); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_float(number_float_t, const string_t& text) override { return scalar(text); }
  bool binary(binary_t&) override { return scalar("binary"); }

  bool number_integer(number_integer_t value) override {
    if (numbers_ == nullptr || skipping()) return scalar(std::to_string(value));
    return number(value);
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (numbers_ == nullptr || skipping() || value > static_cast<uint64_t>(INT64_MAX))
      return scalar(std::to_string(value));
    return number(static_cast<int64_t>(value));
  }

  bool string(string_t& value) override {
    if (skipping() || depth_ != 2 || field_ != Field::dtype) return scalar(quote(value));
    if (value.empty() || value.size() > max_dtype_name)
      corrupt("'dtype' is {}, expected the name of an element type", quote(value));
    entries_.back().dtype = std::move(value);
    return true;
  }

  bool start_object(size_t) override {
    if (!skipping() && depth_ >= 2) scalar("an object");
    return open();
  }

  bool start_array(size_t) override {
    if (!skipping()) {
      if (depth_ != 2 || (field_ != Field::shape && field_ != Field::data_offsets)) scalar("an array");
      numbers_ = field_ == Field::shape ? &entries_.back().shape : &entries_.back().data_offsets;
    }
    return open();
  }

  bool end_array() override {
    if (!skipping()) numbers_ = nullptr;
    return close();
  }

  bool end_object() override {
    if (!skipping() && depth_ == 2) finish_entry();
    return close();
  }

  bool key(string_t& value) override {
    if (skipping()) return true;
    if (depth_ == 1) {
      begin_entry(std::move(value));
    } else {
      begin_field(value);
    }
    return true;
  }

  bool parse_error(size_t, const std::string&, const json::exception& error) override {
    fail(StatusCode::corrupt_data, "{}: {}header is not valid JSON: {}", source_, where(), parse_error_text(error));
  }

 private:
  enum class Field { none, dtype, shape, data_offsets };

  /// Inside __metadata__ or the value of an unknown key.
  bool skipping() const { return skip_depth_ >= 0; }

  std::string where() const {
    return depth_ >= 2 && !skipping() ? fmt::format("tensor {}: ", quote(entries_.back().name)) : std::string();
  }

  template <class... Args>
  [[noreturn]] void corrupt(fmt::format_string<Args...> format, Args&&... args) const {
    const std::string reason = fmt::format(format, std::forward<Args>(args)...);
    fail(StatusCode::corrupt_data, "{}: tensor {}: {}", source_, quote(entries_.back().name), reason);
  }

  void begin_entry(std::string name) {
    if (name == "__metadata__") {
      if (metadata_seen_) fail(StatusCode::corrupt_data, "{}: '__metadata__' is given twice", source_);
      metadata_seen_ = true;
      skip_depth_ = depth_;
      return;
    }
    entries_.emplace_back().name = std::move(name);
    seen_ = 0;
  }

  void begin_field(std::string_view name) {
    field_ = name == "dtype"          ? Field::dtype
             : name == "shape"        ? Field::shape
             : name == "data_offsets" ? Field::data_offsets
                                      : Field::none;
    if (field_ == Field::none) {
      skip_depth_ = depth_;
      return;
    }
    const int bit = 1 << static_cast<int>(field_);
    if ((seen_ & bit) != 0) corrupt("{} is given twice", quote(name));
    seen_ |= bit;
  }

  void finish_entry() {
    for (const auto& [field, name] :
         {std::pair{Field::dtype, "dtype"}, {Field::shape, "shape"}, {Field::data_offsets, "data_offsets"}}) {
      if ((seen_ & (1 << static_cast<int>(field))) == 0) corrupt("'{}' is missing", name);
    }
    const size_t count = entries_.back().data_offsets.size();
    if (count != 2) corrupt("'data_offsets' holds {} numbers, expected 2: begin and end", count);
  }

  bool number(int64_t value) {
    if (value < 0) return scalar(std::to_string(value));
    if (field_ == Field::shape && numbers_->size() >= safetensors_rank_limit) {
      fail(StatusCode::limit_exceeded, "{}: tensor {}: more than {} dimensions", source_, quote(entries_.back().name),
           safetensors_rank_limit);
    }
    if (field_ == Field::data_offsets && numbers_->size() >= 2) corrupt("'data_offsets' holds more than 2 numbers");
    numbers_->push_back(value);
    return true;
  }

  /// A value that is not what belongs here, unless it is being skipped.
  bool scalar(std::string_view found) {
    if (skipping()) {
      if (skip_depth_ == depth_) skip_depth_ = -1;
      return true;
    }
    if (depth_ == 0)
      fail(StatusCode::corrupt_data, "{}: header is {}, expected a JSON object", source_, printable(found));
    if (depth_ == 1) corrupt("is {}, expected an object with dtype, shape and data_offsets", printable(found));
    const char* name = field_ == Field::dtype ? "dtype" : field_ == Field::shape ? "shape" : "data_offsets";
    if (depth_ >= 3) {
      corrupt("'{}' holds {} at index {}, expected an integer from 0 to {}", name, printable(found), numbers_->size(),
              INT64_MAX);
    }
    corrupt("'{}' is {}, expected {}", name, printable(found),
            field_ == Field::dtype ? "a string" : "an array of integers");
  }

  bool open() {
    if (++depth_ > max_depth) {
      fail(StatusCode::limit_exceeded, "{}: header: JSON nested deeper than {} levels", source_, max_depth);
    }
    return true;
  }

  bool close() {
    --depth_;
    if (skip_depth_ == depth_) skip_depth_ = -1;
    return true;
  }

  std::vector<SafetensorsHeaderEntry>& entries_;
  const std::string& source_;
  int64_t depth_ = 0;
  int64_t skip_depth_ = -1;
  Field field_ = Field::none;
  int seen_ = 0;
  bool metadata_seen_ = false;
  std::vector<int64_t>* numbers_ = nullptr;  ///< where the open array of an entry goes
};

}  // namespace

std::vector<SafetensorsHeaderEntry> parse_safetensors_header(std::string_view text, const std::string& source) {
  refuse_nul(text, source + ": header", StatusCode::corrupt_data);
  std::vector<SafetensorsHeaderEntry> entries;
  HeaderReader reader(entries, source);
  json::sax_parse(text.begin(), text.end(), &reader);
  return entries;
}

}  // namespace graft
