import graft.Engine;
import graft.EngineOptions;
import graft.Graft;
import graft.Input;
import graft.LogListener;
import graft.Policy;
import graft.Profile;
import graft.Request;
import graft.RequestOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Options, policies, measuring, callbacks. */
final class OptionKinds {
  private OptionKinds() {}

  static void addTo(Map<String, Conformance.Kind> kinds) {
    kinds.put("engine_options", c -> {
      EngineOptions.builder().json(c.text("json")).build().close();
      return "ok";
    });
    kinds.put("request_options", c -> {
      RequestOptions.builder().json(c.text("json")).build().close();
      return "ok";
    });
    kinds.put("set", OptionKinds::set);
    kinds.put("policy", c -> {
      Policy.fromJson(c.text("json")).close();
      return "ok";
    });
    kinds.put("row_parallel", c -> {
      List<String> names = c.text("names").isEmpty() ? List.of() : List.of(c.text("names").split(","));
      Policy.rowParallel(c.text("class"), names).close();
      return "ok";
    });
    kinds.put("empty_arrays", c -> {
      new Input().tokens().decoderTokens().tokenTypes().close();
      RequestOptions.builder().logitBias(Map.of()).allowedTokens().bannedTokens().stopTokens().build().close();
      String text = c.session.tokenizer().decode();
      return text.isEmpty() ? "ok" : text;
    });
    kinds.put("profile", OptionKinds::profile);
    kinds.put("profile_off", c -> {
      c.session.shared().takeProfile().close();
      return "ok";
    });
    kinds.put("log", c -> {
      List<String> lines = Collections.synchronizedList(new ArrayList<>());
      warn(c, (level, message) -> lines.add(level.ordinal() + " " + message));
      return lines.isEmpty() ? "no line" : lines.get(0);
    });
    kinds.put("log_throws", c -> {
      List<String> lines = Collections.synchronizedList(new ArrayList<>());
      warn(c, (level, message) -> {
        lines.add(message);
        throw new IllegalArgumentException("thrown by a log listener");
      });
      return lines.isEmpty() ? "it was not called" : "ok";
    });
    kinds.put("progress", c -> {
      List<Double> fractions = new ArrayList<>();
      open(c, EngineOptions.builder().progress((fraction, what) -> fractions.add(what.isEmpty() ? -1 : fraction)));
      boolean rising = fractions.stream().sorted().toList().equals(fractions) && !fractions.contains(-1.0);
      return rising && fractions.get(fractions.size() - 1) == 1 ? "rising to 1" : "not rising to 1";
    });
    kinds.put("progress_cancel", c -> open(c, EngineOptions.builder().progress((fraction, what) -> false)));
    kinds.put("progress_throws", c -> {
      RuntimeException thrown = new RuntimeException("thrown by a progress listener");
      try {
        return open(c, EngineOptions.builder().progress((fraction, what) -> {
          throw thrown;
        }));
      } catch (RuntimeException caught) {
        if (caught == thrown) return "thrown";
        throw caught;
      }
    });
  }

  private static String set(Case c) {
    String value = c.text("value");
    switch (c.text("name")) {
      case "temperature" -> RequestOptions.builder().temperature(Double.parseDouble(value));
      case "top_p" -> RequestOptions.builder().topP(Double.parseDouble(value));
      case "max_tokens" -> RequestOptions.builder().maxTokens(Long.parseLong(value));
      case "top_k" -> RequestOptions.builder().topK(Long.parseLong(value));
      case "seed" -> RequestOptions.builder().seed(Long.parseLong(value));
      case "threads" -> EngineOptions.builder().threads(Long.parseLong(value));
      case "tensor_parallel" -> EngineOptions.builder().tensorParallel(Long.parseLong(value));
      default -> throw new IllegalArgumentException("no setter " + c.text("name"));
    }
    return "ok";
  }

  private static String profile(Case c) {
    try (Engine engine = Session.open(c.session.model(), null)) {
      engine.profile(true);
      try (Request request = Session.submit(c, engine)) {
        request.complete();
      }
      try (Profile profile = engine.takeProfile()) {
        double[] milliseconds = profile.milliseconds();
        boolean some = milliseconds.length > 0 && milliseconds.length == profile.count() && milliseconds[0] > 0;
        Matcher explained = Pattern.compile("\"explained\":\\s*([0-9.eE+-]+)").matcher(profile.table());
        boolean most = explained.find() && Double.parseDouble(explained.group(1)) > 0.5;
        return (some ? "forwards" : "none") + (most ? " explained" : " unexplained");
      }
    }
  }

  private static void warn(Case c, LogListener listener) {
    Graft.log(listener);
    try {
      EngineOptions.builder().json(c.text("json")).build().close();
    } finally {
      Graft.log(null);
    }
  }

  private static String open(Case c, EngineOptions.Builder builder) {
    Engine.open(c.text("path"), builder.build()).close();
    return "opened";
  }
}
