#include "answer.h"

#include "interrupt.h"

namespace cli {
namespace {

const char* finish_reason_name(graft_finish_reason reason) {
  switch (reason) {
    case GRAFT_FINISH_STOP:
      return "stop";
    case GRAFT_FINISH_LENGTH:
      return "length";
    case GRAFT_FINISH_CANCELLED:
      return "cancelled";
    case GRAFT_FINISH_DEADLINE:
      return "deadline";
    case GRAFT_FINISH_ERROR:
      return "error";
    default:
      return "none";
  }
}

void add_event(Answer& answer, const graft_event* event) {
  const int64_t token = graft_event_token(event);
  if (token >= 0) {
    answer.last_token = Clock::now();
    if (answer.tokens.empty()) answer.first_token = answer.last_token;
    answer.tokens.push_back(token);
  }
  int64_t size = 0;
  const char* text = graft_event_text(event, &size);
  answer.text.append(text, static_cast<size_t>(size));
  if (graft_event_kind(event) != GRAFT_EVENT_FINISHED) return;
  answer.finish_reason = graft_event_finish_reason(event);
  answer.prompt_tokens = graft_event_usage(event, GRAFT_USAGE_PROMPT_TOKENS);
  answer.completion_tokens = graft_event_usage(event, GRAFT_USAGE_COMPLETION_TOKENS);
}

}  // namespace

double Answer::first_token_seconds() const {
  return tokens.empty() ? 0 : std::chrono::duration<double>(first_token - submitted).count();
}

double Answer::tokens_per_second() const {
  const double seconds = std::chrono::duration<double>(last_token - submitted).count();
  return tokens.empty() || seconds <= 0 ? 0 : static_cast<double>(tokens.size()) / seconds;
}

Input make_tokens_input(const Tokens& tokens) {
  Input input = make<Input>(graft_input_new);
  check(graft_input_set_tokens(input.get(), tokens.data(), static_cast<int64_t>(tokens.size())));
  return input;
}

Input make_text_input(const std::string& text) {
  Input input = make<Input>(graft_input_new);
  check(graft_input_set_text(input.get(), text.data(), static_cast<int64_t>(text.size())));
  return input;
}

Input make_chat_input(const Json& messages) {
  Input input = make<Input>(graft_input_new);
  try {
    const std::string text = messages.dump();
    check(graft_input_set_chat(input.get(), text.data(), static_cast<int64_t>(text.size())));
  } catch (const Json::exception&) {
    throw Failure(GRAFT_STATUS_INVALID_ARGUMENT, "the text is not valid UTF-8");
  }
  return input;
}

Tensor pull_tensor(Batch& batch, size_t index, const char* name) {
  batch.pull(index, nullptr);
  if (interrupted()) throw Interrupted();
  Tensor tensor = make<Tensor>(graft_request_tensor, batch.request(index), name, int64_t{-1});
  if (graft_tensor_dtype(tensor.get()) != GRAFT_DTYPE_FLOAT32) {
    throw Failure(GRAFT_STATUS_INTERNAL, std::string("the ") + name + " are not float32");
  }
  return tensor;
}

void Batch::submit(const Session& session, const Input& input, const RequestOptions& options) {
  const auto tag = static_cast<int64_t>(requests_.size());
  submitted_.push_back(Clock::now());
  requests_.push_back(make<Request>(graft_request_submit, session.engine, input.get(), options.get(), nullptr, tag));
}

Answer Batch::pull(size_t index, const std::function<void(const graft_event*)>& watch) {
  Answer answer;
  answer.submitted = submitted_[index];
  for (;;) {
    const graft_status status = graft_request_next(requests_[index].get(), poll_ms, event_.get());
    if (status == GRAFT_STATUS_END) return answer;
    if (status != GRAFT_STATUS_TIMEOUT) {
      check(status);
      if (graft_event_kind(event_.get()) == GRAFT_EVENT_ERROR) {
        if (!cancelled_) throw Failure(graft_event_status(event_.get()), graft_event_message(event_.get()));
        answer.finish_reason = GRAFT_FINISH_CANCELLED;
      } else {
        add_event(answer, event_.get());
        if (watch) watch(event_.get());
      }
    }
    cancel_if_interrupted();
  }
}

void Batch::cancel_if_interrupted() {
  if (cancelled_ || !interrupted()) return;
  cancelled_ = true;
  for (const Request& request : requests_) check(graft_request_cancel(request.get()));
}

Json to_json(const Answer& answer, bool has_text) {
  return {{"tokens", answer.tokens},
          {"text", has_text ? Json(answer.text) : Json()},
          {"finish_reason", finish_reason_name(answer.finish_reason)},
          {"usage", {{"prompt_tokens", answer.prompt_tokens}, {"completion_tokens", answer.completion_tokens}}}};
}

int answer_exit_code() { return interrupted() ? exit_interrupted : exit_ok; }

}  // namespace cli
