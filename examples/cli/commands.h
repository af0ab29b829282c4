// Every command, in the order `graft --help` lists them. A command is one file: it declares its options on the parser
// and returns what to do once they are parsed; that returns the exit code, or throws one of errors.h.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace cli {

using Action = std::function<int()>;

Action declare_run(CLI::App& app);
Action declare_chat(CLI::App& app);
Action declare_generate(CLI::App& app);
Action declare_logits(CLI::App& app);
Action declare_embed(CLI::App& app);
Action declare_tokenize(CLI::App& app);
Action declare_perplexity(CLI::App& app);
Action declare_bench(CLI::App& app);
Action declare_info(CLI::App& app);
Action declare_quantize(CLI::App& app);
Action declare_doctor(CLI::App& app);

struct Command {
  const char* name;
  const char* synopsis;
  const char* summary;
  Action (*declare)(CLI::App& app);
};

inline constexpr Command commands[] = {
    {"run", "MODEL [PROMPT]", "Stream a completion of a text.", declare_run},
    {"chat", "MODEL", "Hold a conversation in the terminal.", declare_chat},
    {"generate", "MODEL --tokens 5,9,2", "Continue sequences of token ids.", declare_generate},
    {"logits", "MODEL --tokens 5,9,2 --output F.npy", "Write the logits of every position.", declare_logits},
    {"embed", "MODEL TEXT...", "Turn texts into embeddings.", declare_embed},
    {"tokenize", "MODEL TEXT", "Show the token ids of a text, or the text of ids.", declare_tokenize},
    {"perplexity", "MODEL FILE", "Measure the perplexity of a text file.", declare_perplexity},
    {"bench", "MODEL", "Measure load, prefill and decode.", declare_bench},
    {"info", "MODEL", "Show what opening a model would do; loads no weights.", declare_info},
    {"quantize", "MODEL OUT", "Write a quantised model directory.", declare_quantize},
    {"doctor", "", "Show what this machine offers.", declare_doctor},
};

}  // namespace cli
