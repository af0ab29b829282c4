// The share of a decode step that is spent outside of the kernels, at Llama's shape with 60 million random parameters.
//
//   host_time [--threads 2] [--steps 64] [--rounds 15] [--output results/NAME.json]
//
// Rounds with and without profiling take turns. A profiled round gives what its ops add up to; that is set against the
// forward passes of the same round, and against the engine's whole steps (scheduling, choosing the token and handing it
// over included). What profiling itself costs is the difference between the medians of the time from token to token.
// Medians over the rounds; absolute figures hold for the machine of the run only. Where other programs want the
// processor, their turns count as time outside of the kernels too: the least of the rounds is the least disturbed one.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <graft/graft.h>

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int64_t hidden = 512, layers = 8, heads = 8, intermediate = 1536, vocabulary = 32000;
constexpr int64_t timeout_ms = 120000;

void check(graft_status status, const char* what) {
  if (status == GRAFT_STATUS_OK) return;
  throw std::runtime_error(std::string(what) + ": " + graft_last_error_message());
}

struct Tensor {
  std::string name;
  std::vector<int64_t> shape;
  int64_t size() const { return shape.size() == 1 ? shape[0] : shape[0] * shape[1]; }
};

std::vector<Tensor> model_tensors() {
  std::vector<Tensor> tensors = {{"model.embed_tokens.weight", {vocabulary, hidden}},
                                 {"lm_head.weight", {vocabulary, hidden}},
                                 {"model.norm.weight", {hidden}}};
  for (int64_t i = 0; i < layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      tensors.push_back({layer + "self_attn." + name + ".weight", {hidden, hidden}});
    }
    tensors.push_back({layer + "mlp.gate_proj.weight", {intermediate, hidden}});
    tensors.push_back({layer + "mlp.up_proj.weight", {intermediate, hidden}});
    tensors.push_back({layer + "mlp.down_proj.weight", {hidden, intermediate}});
    tensors.push_back({layer + "input_layernorm.weight", {hidden}});
    tensors.push_back({layer + "post_attention_layernorm.weight", {hidden}});
  }
  return tensors;
}

/// Writes a model directory of bfloat16 weights between -1/16 and 1/16; returns the number of parameters.
int64_t write_model(const fs::path& directory) {
  const Json config = {{"architectures", {"LlamaForCausalLM"}},
                       {"model_type", "llama"},
                       {"torch_dtype", "bfloat16"},
                       {"hidden_size", hidden},
                       {"intermediate_size", intermediate},
                       {"num_hidden_layers", layers},
                       {"num_attention_heads", heads},
                       {"num_key_value_heads", heads},
                       {"vocab_size", vocabulary},
                       {"max_position_embeddings", 2048},
                       {"hidden_act", "silu"},
                       {"rms_norm_eps", 1e-5},
                       {"rope_theta", 10000.0},
                       {"tie_word_embeddings", false}};
  std::ofstream(directory / "config.json") << config.dump();
  Json header;
  int64_t parameters = 0;
  const std::vector<Tensor> tensors = model_tensors();
  for (const Tensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", "BF16"},
                           {"shape", tensor.shape},
                           {"data_offsets", {2 * parameters, 2 * (parameters + tensor.size())}}};
    parameters += tensor.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t size = text.size();
  std::ofstream file(directory / "model.safetensors", std::ios::binary);
  file.write(reinterpret_cast<const char*>(&size), sizeof size).write(text.data(), static_cast<std::streamsize>(size));
  std::mt19937 random(1);
  std::vector<uint16_t> values;
  for (const Tensor& tensor : tensors) {
    values.resize(static_cast<size_t>(tensor.size()));
    for (uint16_t& value : values) {
      const uint32_t bits = random();  // sign and fraction at random, the exponent between 2^-7 and 2^-5
      value = static_cast<uint16_t>((bits & 0x807f) | ((120 + (bits >> 16 & 1)) << 7));
    }
    file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(2 * values.size()));
  }
  if (!file.flush()) throw std::runtime_error("the weights could not be written to " + directory.string());
  return parameters;
}

Json take_json(graft_string* text) {
  const Json value = Json::parse(graft_string_data(text));
  graft_string_free(text);
  return value;
}

/// Seconds of all steps so far, once nothing runs.
double idle_step_seconds(graft_engine* engine) {
  for (;;) {
    graft_string* text = nullptr;
    check(graft_engine_stats(engine, &text), "stats");
    const Json stats = take_json(text);
    if (stats["sequences_running"] == 0 && stats["requests_waiting"] == 0) return stats["step_seconds"];
    usleep(1000);
  }
}

/// Milliseconds from token to token of one greedy answer.
std::vector<double> decode(graft_engine* engine, int64_t steps) {
  graft_input* input = nullptr;
  graft_request_options* options = nullptr;
  graft_request* request = nullptr;
  graft_event* event = nullptr;
  const int64_t prompt = 1;
  check(graft_input_new(&input), "input");
  check(graft_input_set_tokens(input, &prompt, 1), "tokens");
  check(graft_request_options_new(&options), "options");
  check(graft_request_options_set_kind(options, GRAFT_REQUEST_GENERATE), "kind");
  check(graft_request_options_set_max_tokens(options, steps), "max tokens");
  check(graft_request_options_set_ignore_eos(options, 1), "ignore eos");
  check(graft_request_options_set_greedy(options, 1), "greedy");
  check(graft_request_submit(engine, input, options, nullptr, 0, &request), "submit");
  check(graft_event_new(&event), "event");
  std::vector<double> intervals;
  auto last = std::chrono::steady_clock::now();
  do {
    check(graft_request_next(request, timeout_ms, event), "next");
    if (graft_event_kind(event) == GRAFT_EVENT_ERROR) throw std::runtime_error(graft_event_message(event));
    const auto now = std::chrono::steady_clock::now();
    if (graft_event_kind(event) == GRAFT_EVENT_TOKEN) {
      intervals.push_back(std::chrono::duration<double, std::milli>(now - last).count());
      last = now;
    }
  } while (graft_event_kind(event) != GRAFT_EVENT_FINISHED);
  graft_event_free(event);
  graft_request_free(request);
  graft_request_options_free(options);
  graft_input_free(input);
  intervals.erase(intervals.begin());  // from the submission to the first token
  return intervals;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Options {
  int64_t threads = 2, steps = 64, rounds = 15;
  std::string output;
};

struct Round {
  double forward_share, step_share, forward_ms, step_ms;
};

Round profiled_round(graft_engine* engine, const Options& options, std::vector<double>& intervals) {
  check(graft_engine_profile(engine, 1), "profile on");
  const double before = idle_step_seconds(engine);
  const std::vector<double> own = decode(engine, options.steps);
  const double steps_ms = (idle_step_seconds(engine) - before) * 1e3;
  check(graft_engine_profile(engine, 0), "profile off");
  intervals.insert(intervals.end(), own.begin(), own.end());
  graft_profile* profile = nullptr;
  graft_string* text = nullptr;
  check(graft_profile_take(engine, &profile), "take");
  check(graft_profile_table(profile, &text), "table");
  graft_profile_free(profile);
  const Json table = take_json(text);
  if (table["forwards"] != options.steps) throw std::runtime_error("not every step was measured: " + table.dump());
  double ops = 0;
  for (const Json& row : table["ops"]) ops += row["milliseconds"].get<double>();
  const double forward = table["forward_ms"];
  const auto count = static_cast<double>(options.steps);
  return {1 - ops / forward, 1 - ops / steps_ms, forward / count, steps_ms / count};
}

template <class Member>
double median_of(const std::vector<Round>& rounds, Member member) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(round.*member);
  return median(values);
}

Json measure(const fs::path& directory, const Options& options) {
  graft_engine_options* engine_options = nullptr;
  graft_engine* engine = nullptr;
  check(graft_engine_options_new(&engine_options), "engine options");
  check(graft_engine_options_set_device(engine_options, "cpu", -1), "device");
  check(graft_engine_options_set_threads(engine_options, options.threads), "threads");
  check(graft_engine_options_set_context_limit(engine_options, 512), "context");
  check(graft_engine_open(directory.c_str(), -1, engine_options, &engine), "open");
  graft_engine_options_free(engine_options);
  decode(engine, options.steps);  // captures the step, touches the weights
  std::vector<Round> rounds;
  std::vector<double> profiled, plain;
  for (int64_t i = 0; i < options.rounds; ++i) {
    rounds.push_back(profiled_round(engine, options, profiled));
    const std::vector<double> own = decode(engine, options.steps);
    plain.insert(plain.end(), own.begin(), own.end());
  }
  graft_engine_free(engine);
  double load[1] = {0};
  getloadavg(load, 1);
  return {{"threads", options.threads},
          {"steps", options.steps},
          {"rounds", options.rounds},
          {"load_average", load[0]},
          {"forward_ms", median_of(rounds, &Round::forward_ms)},
          {"step_ms", median_of(rounds, &Round::step_ms)},
          {"outside_kernels_of_forward", median_of(rounds, &Round::forward_share)},
          {"outside_kernels_of_step", median_of(rounds, &Round::step_share)},
          {"outside_kernels_of_step_least", std::ranges::min(rounds, {}, &Round::step_share).step_share},
          {"token_ms", median(plain)},
          {"token_ms_profiled", median(profiled)},
          {"profiling_cost", median(profiled) / median(plain) - 1}};
}

Options read_options(int count, char** words) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = words[i];
    if (name == "--output") {
      options.output = words[i + 1];
      continue;
    }
    int64_t* value = name == "--threads"  ? &options.threads
                     : name == "--steps"  ? &options.steps
                     : name == "--rounds" ? &options.rounds
                                          : nullptr;
    if (value == nullptr) throw std::runtime_error("no option is called " + name);
    *value = std::max<int64_t>(name == "--steps" ? 2 : 1, std::atoll(words[i + 1]));
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  std::string place = (fs::temp_directory_path() / "graft-host-time-XXXXXX").string();
  int code = 0;
  try {
    const Options options = read_options(count, words);
    if (mkdtemp(place.data()) == nullptr) throw std::runtime_error("no directory could be made at " + place);
    Json record = {{"parameters", write_model(place)}, {"dtype", "bfloat16"}};
    record.update(measure(place, options));
    std::puts(record.dump(1).c_str());
    if (!options.output.empty()) std::ofstream(options.output) << record.dump(1) << "\n";
  } catch (const std::exception& error) {
    std::fprintf(stderr, "host_time: %s\n", error.what());
    code = 1;
  }
  std::error_code ignored;
  fs::remove_all(place, ignored);
  return code;
}
