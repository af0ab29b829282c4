// graft tokenize MODEL TEXT: the token ids of a text, or (--decode) the text of ids. Opens no engine.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "prompt.h"
#include "text_tokens.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  std::optional<std::string> text;
  bool decode = false;
};

int print_tokens(const Options& options, const Tokenizer& tokenizer, const std::string& text) {
  const Tokens tokens = encode_text(tokenizer, text);
  std::vector<std::string> pieces;
  for (const int64_t token : tokens) {
    pieces.push_back(to_string(make<String>(graft_tokenizer_piece, tokenizer.get(), token)));
  }
  if (options.common.json) {
    print_json_line({{"tokens", tokens}, {"pieces", pieces}});
    return exit_ok;
  }
  for (size_t index = 0; index < tokens.size(); ++index) {
    std::printf("%lld\t%s\n", static_cast<long long>(tokens[index]), pieces[index].c_str());
  }
  return exit_ok;
}

int print_text(const Options& options, const Tokenizer& tokenizer, const Tokens& tokens) {
  const int32_t skip_special = 1;  // so that it gives back the text that was tokenized
  const std::string text = to_string(make<String>(graft_tokenizer_decode, tokenizer.get(), tokens.data(),
                                                  static_cast<int64_t>(tokens.size()), skip_special));
  if (options.common.json) {
    print_json_line({{"tokens", tokens}, {"text", text}});
  } else {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
  }
  return exit_ok;
}

}  // namespace

Action declare_tokenize(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("TEXT", options->text, "Text, or ids 5,9,2 with --decode; absent: stdin, without its last newline")
      ->type_name("");
  app.add_flag("--decode", options->decode, "Turn ids into text; special tokens are left out");
  return [options] {
    validate(options->common);
    const std::string text = read_prompt(options->text);
    const Tokens tokens = options->decode ? parse_tokens("--decode", text) : Tokens();
    const Tokenizer tokenizer = make<Tokenizer>(graft_tokenizer_open, options->common.model.c_str(), int64_t{-1});
    return options->decode ? print_text(*options, tokenizer, tokens) : print_tokens(*options, tokenizer, text);
  };
}

}  // namespace cli
