#include "core/text/tokenizer.h"

#include "core/base/status.h"
#include "core/text/text_bytes.h"
#include "core/text/tokenizer_file.h"

namespace graft {
namespace {

class Ids {
 public:
  Ids() = default;
  ~Ids() { graft_text_ids_free(ids_); }
  Ids(const Ids&) = delete;
  Ids& operator=(const Ids&) = delete;
  graft_text_ids* out() { return &ids_; }
  std::vector<int64_t> vector() const {
    return ids_.size > 0 ? std::vector<int64_t>(ids_.data, ids_.data + ids_.size) : std::vector<int64_t>();
  }

 private:
  graft_text_ids ids_{nullptr, 0};
};

const graft_text_tokenizer* tokenizer_of(void* handle) { return static_cast<const graft_text_tokenizer*>(handle); }
graft_text_stream* stream_of(void* handle) { return static_cast<graft_text_stream*>(handle); }

std::string_view text_of(const graft_text_view& view) {
  return {reinterpret_cast<const char*>(view.data), static_cast<size_t>(view.size)};
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::open(const std::string& path) {
  const std::string file = find_tokenizer_file(path);
  const std::string json = read_tokenizer_file(file, max_file_bytes);
  return from_json(json, file);
}

std::shared_ptr<const Tokenizer> Tokenizer::from_json(std::string_view json, const std::string& source) {
  std::shared_ptr<Tokenizer> tokenizer(new Tokenizer());
  graft_text_tokenizer* handle = nullptr;
  Bytes error;
  check(graft_text_open(bytes_of(json), size_of(json), &handle, error.out()), error, source);
  tokenizer->handle_ = handle;
  tokenizer->source_ = source;
  tokenizer->vocab_size_ = graft_text_vocab_size(handle);
  tokenizer->id_bound_ = graft_text_id_bound(handle);
  return tokenizer;
}

Tokenizer::~Tokenizer() { graft_text_free(static_cast<graft_text_tokenizer*>(handle_)); }

uint32_t Tokenizer::checked_id(int64_t id) const {
  if (id < 0 || id >= id_bound_) {
    fail(StatusCode::invalid_argument, "{}: token id {} is out of range: the vocabulary has {} tokens with ids 0 to {}",
         source_, id, vocab_size_, id_bound_ - 1);
  }
  return static_cast<uint32_t>(id);
}

std::vector<int64_t> Tokenizer::encode(std::string_view text, bool add_special, int64_t max_tokens) const {
  Ids ids;
  Bytes error;
  check(graft_text_encode(tokenizer_of(handle_), bytes_of(text), size_of(text), add_special ? 1 : 0, max_tokens,
                          ids.out(), error.out()),
        error, source_);
  return ids.vector();
}

std::string Tokenizer::decode(const int64_t* ids, int64_t count, bool skip_special) const {
  if (count < 0 || (ids == nullptr && count > 0))
    fail(StatusCode::invalid_argument, "{}: decode: ids is null or its count {} is negative", source_, count);
  if (count > max_decode_ids)
    fail(StatusCode::limit_exceeded, "{}: decode: {} ids, at most {}", source_, count, max_decode_ids);
  std::vector<uint32_t> narrow(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) narrow[static_cast<size_t>(i)] = checked_id(ids[i]);
  Bytes text;
  Bytes error;
  check(graft_text_decode(tokenizer_of(handle_), narrow.data(), count, skip_special ? 1 : 0, text.out(), error.out()),
        error, source_);
  return text.str();
}

std::string Tokenizer::decode(const std::vector<int64_t>& ids, bool skip_special) const {
  return decode(ids.data(), static_cast<int64_t>(ids.size()), skip_special);
}

std::string Tokenizer::piece(int64_t id) const {
  Bytes text;
  Bytes error;
  check(graft_text_piece(tokenizer_of(handle_), checked_id(id), text.out(), error.out()), error, source_);
  return text.str();
}

int64_t Tokenizer::id_of(std::string_view piece) const {
  uint32_t id = 0;
  Bytes error;
  check(graft_text_id_of(tokenizer_of(handle_), bytes_of(piece), size_of(piece), &id, error.out()), error, source_);
  return id;
}

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)) {
  if (!tokenizer_) fail(StatusCode::invalid_argument, "stream decoder: the tokenizer is null");
  graft_text_stream* handle = nullptr;
  Bytes error;
  check(graft_text_stream_new(tokenizer_of(tokenizer_->handle_), skip_special ? 1 : 0, &handle, error.out()), error,
        tokenizer_->source_);
  handle_ = handle;
}

StreamDecoder::~StreamDecoder() { graft_text_stream_free(stream_of(handle_)); }

std::string_view StreamDecoder::push(int64_t id) {
  graft_text_view view{nullptr, 0};
  Bytes error;
  check(graft_text_stream_push(stream_of(handle_), tokenizer_->checked_id(id), &view, error.out()), error,
        tokenizer_->source_);
  return text_of(view);
}

std::string_view StreamDecoder::flush() {
  graft_text_view view{nullptr, 0};
  Bytes error;
  check(graft_text_stream_flush(stream_of(handle_), &view, error.out()), error, tokenizer_->source_);
  return text_of(view);
}

}  // namespace graft
