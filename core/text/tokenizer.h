// Tokenizers in Hugging Face's tokenizer.json format: text to token ids and back.
//
// The work is done by the Rust crate `tokenizers`, the same code that the Python package runs; the stream decoder is
// our own (see StreamDecoder). What special tokens an encoding gets is decided by the post-processor in tokenizer.json
// alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

class StreamDecoder;

/// A tokenizer. Immutable; any number of threads may use one at once.
class Tokenizer {
 public:
  /// Largest tokenizer.json, in bytes.
  static constexpr int64_t max_file_bytes = int64_t{256} << 20;
  /// Largest text of one encode call, in bytes of UTF-8.
  static constexpr int64_t max_text_bytes = int64_t{64} << 20;
  /// Most ids of one decode call.
  static constexpr int64_t max_decode_ids = int64_t{64} << 20;

  /// Opens `path`, a tokenizer.json or a directory that holds one. Throws Error: NOT_FOUND (names the file and the
  /// supported formats), IO_ERROR, LIMIT_EXCEEDED (file over max_file_bytes), CORRUPT_DATA or UNSUPPORTED (content),
  /// OUT_OF_MEMORY.
  static std::shared_ptr<const Tokenizer> open(const std::string& path);

  /// The same from the content of a tokenizer.json; `source` names it in messages. The content is not kept.
  static std::shared_ptr<const Tokenizer> from_json(std::string_view json, const std::string& source);

  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// Token ids of `text`. `add_special`: whether the post-processor adds its special tokens (bos, eos, cls, ...).
  /// Truncation and padding that the file asks for are not applied, as in Transformers. `max_tokens`: at most so many
  /// ids, special ones included; the end of the text is cut off and the special tokens stay; 0 is no limit. Throws
  /// Error: INVALID_ARGUMENT (not UTF-8; max_tokens below 0 or below the number of special tokens), LIMIT_EXCEEDED
  /// (over max_text_bytes, or a normaliser that could make more than 256 MiB of it), OUT_OF_MEMORY. Takes time in
  /// proportion to the text and, for the moment, up to 200 bytes of memory for each of its bytes.
  std::vector<int64_t> encode(std::string_view text, bool add_special, int64_t max_tokens = 0) const;

  /// Text of `ids`, valid UTF-8; broken byte sequences give U+FFFD. An id inside the bound without a token gives
  /// nothing. Throws Error: INVALID_ARGUMENT (id out of range), LIMIT_EXCEEDED (over max_decode_ids, or over 256 MiB of
  /// text), OUT_OF_MEMORY.
  std::string decode(const int64_t* ids, int64_t count, bool skip_special) const;
  std::string decode(const std::vector<int64_t>& ids, bool skip_special) const;

  /// The token `id` as the vocabulary writes it (byte-level tokens in their printable form). Throws Error:
  /// INVALID_ARGUMENT (id out of range), NOT_FOUND (an id that the vocabulary leaves out).
  std::string piece(int64_t id) const;

  /// The id of the token that the vocabulary writes so. Throws Error: NOT_FOUND.
  int64_t id_of(std::string_view piece) const;

  /// Number of tokens, added ones included (Python: len(tokenizer)).
  int64_t vocab_size() const { return vocab_size_; }

  /// One more than the largest id; above vocab_size where the vocabulary has holes. A model's logits may be wider
  /// still: such an id has no token and is refused.
  int64_t id_bound() const { return id_bound_; }

 private:
  friend class StreamDecoder;
  Tokenizer() = default;
  uint32_t checked_id(int64_t id) const;

  void* handle_ = nullptr;
  std::string source_;
  int64_t vocab_size_ = 0;
  int64_t id_bound_ = 0;
};

/// Decodes ids as they come. What push and flush return, put together, equals Tokenizer::decode of all ids with the
/// same skip_special. Each returned text is whole UTF-8 characters. The work is O(1) per token on average.
///
/// Text is held back only while a later id could still change it: the bytes of an unfinished character (byte-level
/// vocabularies), a run of byte tokens such as <0xE2> (the decoder of SentencePiece-style vocabularies replaces the
/// whole run where any of it is broken), a word end. A decoder that looks at the whole text at once holds everything
/// until flush.
///
/// One thread at a time. Keeps its tokenizer alive.
class StreamDecoder {
 public:
  StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special);
  ~StreamDecoder();
  StreamDecoder(const StreamDecoder&) = delete;
  StreamDecoder& operator=(const StreamDecoder&) = delete;

  /// Text that became certain with this id, often empty; valid until the next call. Throws Error: INVALID_ARGUMENT (id
  /// out of range; the stream is unchanged).
  std::string_view push(int64_t id);

  /// Text that was held back; valid until the next call. Afterwards the decoder is as new.
  std::string_view flush();

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  void* handle_ = nullptr;
};

}  // namespace graft
