import graft.Completion;
import graft.Engine;
import graft.Event;
import graft.EventKind;
import graft.FinishReason;
import graft.GraftException;
import graft.Request;
import graft.TokenLogprob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.CompletableFuture;

/** Answers: whole, event by event, cancelled, refused, many at once. */
final class GenerateKinds {
  private GenerateKinds() {}

  static void addTo(Map<String, Conformance.Kind> kinds) {
    kinds.put("generate", GenerateKinds::generate);
    kinds.put("tokens_of", c -> {
      StringJoiner ids = new StringJoiner(" ");
      Session.pull(c, event -> {
        if (event.token() >= 0) ids.add(Long.toString(event.token()));
      });
      return ids.toString();
    });
    kinds.put("events", GenerateKinds::events);
    kinds.put("sequences", c -> Session.withEngine(c, engine -> {
      try (Request request = Session.submit(c, engine)) {
        StringBuilder texts = new StringBuilder();
        for (Completion.Answer answer : request.complete().answers()) texts.append(answer.text()).append('|');
        return texts.toString();
      }
    }));
    kinds.put("logprobs", GenerateKinds::logprobs);
    kinds.put("cancel_decode", c -> cancel(c, Request::cancel));
    kinds.put("cancel_prefill", c -> cancel(c, Request::cancel));
    kinds.put("cancel_elsewhere", c -> cancel(c, request -> CompletableFuture.runAsync(request::cancel).join()));
    kinds.put("failure", c -> {
      try {
        Session.pull(c, event -> {});
        return "none";
      } catch (GraftException failure) {
        return failure.status().name();
      }
    });
    kinds.put("wait", c -> Session.withEngine(c, engine -> {
      try (Request request = Session.submit(c, engine)) {
        return wait(request, Duration.ZERO) + " " + wait(request, null);
      }
    }));
    kinds.put("busy", GenerateKinds::busy);
    kinds.put("shutdown", c -> {
      try (Engine engine = Session.open(c.session.model(), null)) {
        engine.shutdown(null);
        Session.submit(c, engine).close();
        return "ok";
      }
    });
    kinds.put("threads", GenerateKinds::threads);
  }

  static String generate(Case c) throws Exception {
    return Session.withEngine(c, engine -> {
      try (Request request = Session.submit(c, engine)) {
        Completion all = request.complete();
        return all.finishReason() + " " + all.usage().promptTokens() + "/" + all.usage().completionTokens() + " " + all.text();
      }
    });
  }

  private static String events(Case c) throws Exception {
    List<EventKind> kinds = new ArrayList<>();
    Session.pull(c, event -> {
      if (event.kind() != EventKind.PROGRESS) kinds.add(event.kind());
    });
    StringJoiner runs = new StringJoiner(" ");
    for (int i = 0, next; i < kinds.size(); i = next) {
      for (next = i; next < kinds.size() && kinds.get(next) == kinds.get(i);) ++next;
      runs.add(kinds.get(i) + (next - i > 1 ? "*" + (next - i) : ""));
    }
    return runs.toString();
  }

  private static long thousandths(double logprob) {
    return (long) Math.floor(logprob * 1000 + 0.5);
  }

  private static String logprobs(Case c) throws Exception {
    StringJoiner all = new StringJoiner(" ");
    Session.pull(c, event -> {
      if (event.token() < 0) return;
      StringJoiner top = new StringJoiner(",", event.token() + ":" + thousandths(event.logprob()) + "[", "]");
      for (TokenLogprob one : event.topLogprobs()) top.add(one.token() + ":" + thousandths(one.logprob()));
      all.add(top.toString());
    });
    return all.toString();
  }

  private static String cancel(Case c, java.util.function.Consumer<Request> cancel) throws Exception {
    long after = c.number("after", 0);
    return Session.withEngine(c, engine -> {
      try (Request request = Session.submit(c, engine)) {
        if (after == 0) cancel.accept(request);
        long tokens = 0;
        FinishReason reason = FinishReason.NONE;
        for (Event event : request) {
          if (event.kind() == EventKind.FINISHED) reason = event.finishReason();
          if (event.token() >= 0 && ++tokens == after) cancel.accept(request);
        }
        return reason + (reason != FinishReason.CANCELLED ? "" : tokens < 200 ? " early" : " late");
      }
    });
  }

  private static String wait(Request request, Duration timeout) {
    try {
      return request.await(timeout) ? "OK" : "TIMEOUT";
    } catch (GraftException failure) {
      return failure.status().name();
    }
  }

  private static String busy(Case c) throws Exception {
    List<Request> requests = new ArrayList<>();
    try {
      return Session.withEngine(c, engine -> {
        for (long i = 0; i < c.number("count", 0); ++i) requests.add(Session.submit(c, engine));
        return "none";
      });
    } finally {
      requests.forEach(Request::close);
    }
  }

  private static String threads(Case c) throws Exception {
    String alone = generate(c);
    List<CompletableFuture<String>> all = new ArrayList<>();
    for (long i = 0; i < c.number("count", 1); ++i) {
      all.add(CompletableFuture.supplyAsync(() -> {
        try {
          return generate(c);
        } catch (Exception failure) {
          return failure.toString();
        }
      }, task -> new Thread(task).start()));
    }
    return all.stream().filter(one -> one.join().equals(alone)).count() + " equal";
  }
}
