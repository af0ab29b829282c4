#include "core/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "core/base/checked.h"
#include "core/base/quote.h"
#include "core/base/status.h"
#include "core/checkpoint/safetensors_header.h"

namespace graft {
namespace {

constexpr int64_t length_bytes = 8;

struct ElementType {
  std::string_view name;
  DType dtype;
  int64_t bits;
};

constexpr std::array<ElementType, 22> element_types = {{
    {"F32", DType::float32, 32},     {"BF16", DType::bfloat16, 16}, {"F16", DType::float16, 16},
    {"I8", DType::int8, 8},          {"U8", DType::uint8, 8},       {"BOOL", DType::boolean, 8},
    {"I32", DType::int32, 32},       {"I64", DType::int64, 64},     {"F64", DType::float64, 64},
    {"I16", other_dtype, 16},        {"U16", other_dtype, 16},      {"U32", other_dtype, 32},
    {"U64", other_dtype, 64},        {"C64", other_dtype, 64},      {"F8_E4M3", other_dtype, 8},
    {"F8_E5M2", other_dtype, 8},     {"F8_E8M0", other_dtype, 8},   {"F8_E4M3FNUZ", other_dtype, 8},
    {"F8_E5M2FNUZ", other_dtype, 8}, {"F6_E2M3", other_dtype, 6},   {"F6_E3M2", other_dtype, 6},
    {"F4", other_dtype, 4},
}};

/// Bits 0: a type nobody here knows, whose size cannot be checked.
ElementType element_type(std::string_view name) {
  for (const ElementType& type : element_types) {
    if (type.name == name) return type;
  }
  return {name, other_dtype, 0};
}

/// The data area: file name for messages, first byte, size.
struct DataArea {
  const std::string& source;
  const std::byte* data;
  int64_t size;
};

std::string describe(const DataArea& area, const SafetensorsHeaderEntry& entry) {
  return fmt::format("{}: tensor {}", area.source, quote(entry.name));
}

TensorEntry make_entry(const DataArea& area, SafetensorsHeaderEntry& entry) {
  const auto corrupt = StatusCode::corrupt_data;
  const std::string who = describe(area, entry);
  const int64_t begin = entry.data_offsets[0];
  const int64_t end = entry.data_offsets[1];
  if (begin > end) fail(corrupt, "{}: data_offsets are [{}, {}], expected begin <= end", who, begin, end);
  if (end > area.size) {
    fail(corrupt,
         "{}: data_offsets are [{}, {}], expected at most {}, the size of the data area (is the file truncated?)", who,
         begin, end, area.size);
  }
  const ElementType type = element_type(entry.dtype);
  TensorEntry tensor;
  tensor.elements = checked_product(entry.shape, fmt::format("{}: shape {}", who, to_string(entry.shape)), corrupt);
  if (type.bits > 0) {
    const int64_t bits = checked_multiply(tensor.elements, type.bits, who + ": size in bits", corrupt);
    if (bits % 8 != 0 || bits / 8 != end - begin) {
      fail(corrupt, "{}: data_offsets span {} bytes, expected {} for shape {} of {}", who, end - begin, (bits + 7) / 8,
           to_string(entry.shape), entry.dtype);
    }
  }
  tensor.dtype = type.dtype;
  tensor.dtype_name = std::move(entry.dtype);
  tensor.shape = std::move(entry.shape);
  tensor.data = area.data + begin;
  tensor.byte_size = end - begin;
  return tensor;
}

void check_unique(const DataArea& area, const std::vector<SafetensorsHeaderEntry>& sorted) {
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i - 1].name == sorted[i].name) {
      fail(StatusCode::corrupt_data, "{} is given twice", describe(area, sorted[i]));
    }
  }
}

/// Ranges must follow one another from the first byte of the area to its last (a hole could hide foreign bytes).
void check_tiling(const DataArea& area, const std::vector<SafetensorsHeaderEntry>& entries) {
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return entries[a].data_offsets < entries[b].data_offsets; });
  int64_t position = 0;
  std::string before = "the start of the data area";
  const SafetensorsHeaderEntry* last = nullptr;
  for (const size_t index : order) {
    const SafetensorsHeaderEntry& entry = entries[index];
    const int64_t begin = entry.data_offsets[0];
    if (begin != position) {
      fail(StatusCode::corrupt_data, "{}: data begins at {}, expected {}, right after {} ({})", describe(area, entry),
           begin, position, last == nullptr ? before : "tensor " + quote(last->name),
           begin < position ? "overlap" : "hole");
    }
    position = entry.data_offsets[1];
    last = &entry;
  }
  if (position != area.size) {
    fail(StatusCode::corrupt_data, "{}: found {} bytes after {}, expected none", area.source, area.size - position,
         last == nullptr ? before : "the last tensor " + quote(last->name));
  }
}

}  // namespace

std::string to_string(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

std::vector<TensorEntry> read_safetensors(const std::shared_ptr<const MappedFile>& file) {
  const std::string source = printable(file->path(), most_of_path);
  const std::byte* bytes = file->data();
  if (file->size() < length_bytes) {
    fail(StatusCode::corrupt_data, "{}: found {} bytes, expected at least {}: the header length", source, file->size(),
         length_bytes);
  }
  uint64_t length = 0;
  for (int i = 0; i < length_bytes; ++i) length |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  const int64_t rest = file->size() - length_bytes;
  if (length > static_cast<uint64_t>(rest)) {
    fail(StatusCode::corrupt_data, "{}: header length is {}, expected at most {}, the rest of the file", source, length,
         rest);
  }
  if (length > static_cast<uint64_t>(safetensors_header_limit)) {
    fail(StatusCode::limit_exceeded, "{}: header length is {}, expected at most {}", source, length,
         safetensors_header_limit);
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes) + length_bytes, length);
  if (text.empty() || text.front() != '{') {
    fail(StatusCode::corrupt_data, "{}: header begins with {}, expected '{{' (is this a safetensors file?)", source,
         quote(text.substr(0, 1)));
  }
  const DataArea area{source, bytes + length_bytes + length, rest - static_cast<int64_t>(length)};

  std::vector<SafetensorsHeaderEntry> entries = parse_safetensors_header(text, source);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  check_unique(area, entries);
  std::vector<TensorEntry> tensors;
  tensors.reserve(entries.size());
  for (SafetensorsHeaderEntry& entry : entries) tensors.push_back(make_entry(area, entry));
  check_tiling(area, entries);
  for (size_t i = 0; i < entries.size(); ++i) {
    tensors[i].name = std::move(entries[i].name);
    tensors[i].file = file;
  }
  return tensors;
}

}  // namespace graft
