#include "bench_rounds.h"

#include <vector>

#include "answer.h"
#include "interrupt.h"

namespace cli {
namespace {

RequestOptions make_bench_options(int64_t generate) {
  RequestOptions options = make<RequestOptions>(graft_request_options_new);
  check(graft_request_options_set_max_tokens(options.get(), generate));
  check(graft_request_options_set_greedy(options.get(), 1));
  check(graft_request_options_set_ignore_eos(options.get(), 1));
  return options;
}

Tokens draw_tokens(const BenchShape& shape, std::mt19937_64& random) {
  std::uniform_int_distribution<int64_t> token(0, shape.vocabulary - 1);
  Tokens tokens(static_cast<size_t>(shape.prompt));
  for (int64_t& id : tokens) id = token(random);
  return tokens;
}

/// What came out of the queue, in its order.
struct Arrivals {
  double first_token_sum = 0;  ///< seconds
  int64_t started = 0;         ///< sequences that have their first token
  int64_t finished = 0;
  int64_t decoded = 0;  ///< tokens since all have started
  Clock::time_point all_started, last_token;
};

void add_token(Arrivals& arrivals, bool first, int64_t batch, Clock::time_point start) {
  const auto now = Clock::now();
  arrivals.last_token = now;
  if (first) {
    arrivals.first_token_sum += std::chrono::duration<double>(now - start).count();
    if (++arrivals.started == batch) arrivals.all_started = now;
  } else if (arrivals.started == batch) {
    ++arrivals.decoded;
  }
}

}  // namespace

BenchRound run_round(const Session& session, const BenchShape& shape, std::mt19937_64& random) {
  const RequestOptions options = make_bench_options(shape.generate);
  std::vector<Input> inputs;
  for (int64_t index = 0; index < shape.batch; ++index) inputs.push_back(make_tokens_input(draw_tokens(shape, random)));
  const Queue queue = make<Queue>(graft_queue_new);
  const Event event = make<Event>(graft_event_new);
  std::vector<Request> requests;
  std::vector<bool> has_started(inputs.size());
  Arrivals arrivals;
  const auto start = Clock::now();
  for (const Input& input : inputs) {
    const auto tag = static_cast<int64_t>(requests.size());
    requests.push_back(
        make<Request>(graft_request_submit, session.engine, input.get(), options.get(), queue.get(), tag));
  }
  while (arrivals.finished < shape.batch) {
    if (interrupted()) throw Interrupted();
    const graft_status status = graft_queue_next(queue.get(), poll_ms, event.get());
    if (status == GRAFT_STATUS_TIMEOUT) continue;
    check(status);
    const graft_event_type kind = graft_event_kind(event.get());
    if (kind == GRAFT_EVENT_ERROR) throw Failure(graft_event_status(event.get()), graft_event_message(event.get()));
    if (kind == GRAFT_EVENT_FINISHED) ++arrivals.finished;
    if (kind != GRAFT_EVENT_TOKEN) continue;
    const auto sequence = static_cast<size_t>(graft_event_tag(event.get()));
    add_token(arrivals, !has_started[sequence], shape.batch, start);
    has_started[sequence] = true;
  }
  const auto seconds = [](Clock::duration time) { return std::chrono::duration<double>(time).count(); };
  BenchRound round;
  if (arrivals.started < shape.batch) throw Failure(GRAFT_STATUS_INTERNAL, "a sequence ended without a token");
  round.first_token_seconds = arrivals.first_token_sum / static_cast<double>(shape.batch);
  round.prefill_tokens_per_second =
      static_cast<double>(shape.prompt * shape.batch) / seconds(arrivals.all_started - start);
  const double decode_seconds = seconds(arrivals.last_token - arrivals.all_started);
  if (decode_seconds > 0) round.decode_tokens_per_second = static_cast<double>(arrivals.decoded) / decode_seconds;
  return round;
}

}  // namespace cli
