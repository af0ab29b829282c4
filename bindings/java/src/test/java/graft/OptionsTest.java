package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OptionsTest {
  @Test
  void everySetterIsThere() {
    everySetter("graft_engine_options_", EngineOptions.Builder.class,
        Map.of("add_policy", "policy", "set_run_ahead_ms", "runAhead"));
    everySetter("graft_request_options_", RequestOptions.Builder.class,
        Map.of("add_stop", "stop", "set_deadline_ms", "deadline"));
  }

  private static void everySetter(String prefix, Class<?> builder, Map<String, String> named) {
    int found = 0;
    for (Method raw : Raw.class.getDeclaredMethods()) {
      if (!raw.getName().startsWith(prefix)) continue;
      String name = raw.getName().substring(prefix.length());
      if (name.equals("new") || name.equals("free")) continue;
      StringBuilder expected = new StringBuilder();
      if (named.containsKey(name)) {
        expected.append(named.get(name));
      } else {
        for (String word : name.substring("set_".length()).split("_")) {
          expected.append(expected.length() == 0 ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
        }
      }
      assertTrue(List.of(builder.getMethods()).stream().anyMatch(m -> m.getName().contentEquals(expected)),
          "no setter " + expected);
      ++found;
    }
    assertTrue(found > 15, "found only " + found);
  }

  @Test
  void everySetterOfEngineOptionsWorks() {
    try (Policy policy = Policy.fromJson("{\"model_type\": \"mine\"}")) {
      EngineOptions.builder().device("cpu").dtype("float32").quantization(0, 0).tensorParallel(1).expertParallel(1)
          .rank(-1, 0, "", 0, null).rank(0, 2, "10.0.0.1", 29500, Duration.ofSeconds(5)).injection("none").graph(false)
          .threads(2).contextLimit(128).maxSequences(2).maxQueue(3).runAhead(Duration.ofMillis(5)).memoryLimit(1L << 40).weights(Weights.READ)
          .libraryDirectory(Path.of("/usr/lib")).policy(policy).json("{\"threads\": 1}").progress((f, w) -> true)
          .progress((f, w) -> true).build().close();
    }
  }

  @Test
  void everySetterOfRequestOptionsWorks() {
    RequestOptions.builder().kind(RequestKind.GENERATE).maxTokens(1).minTokens(0).pooling(Pooling.MEAN).greedy(true)
        .temperature(0.5).topK(3).topP(0.5).minP(0.1).typicalP(0.9).seed(Long.MAX_VALUE).repetitionPenalty(1.1)
        .frequencyPenalty(0.1).presencePenalty(-0.1).penaltyWindow(4).noRepeatNgram(3).logitBias(Map.of(5L, -1.5))
        .logitBias(Map.of()).allowedTokens(1, 2).allowedTokens().bannedTokens(3).stop("\n").stop("x").stopTokens(2)
        .ignoreEos(true).deadline(Duration.ofMinutes(1)).numBeams(1).numSequences(1).lengthPenalty(0.5).topLogprobs(2)
        .priority(-4).cacheSalt("mine").json("{\"max_tokens\": 2}").build().close();
  }

  @Test
  void aBiasForcesAToken() {
    RequestOptions options = RequestOptions.builder().greedy(true).maxTokens(3).ignoreEos(true)
        .logitBias(Map.of(635L, 1000.0, 382L, 500.0)).build();
    try (Request request = Model.ENGINE.submit("What", options)) {
      assertEquals(3, request.stream().filter(e -> e.token() == 635).count());
    }
  }

  @Test
  void aRefusedValueThrowsAtOnceAndTheOldOneStands() {
    RequestOptions.Builder builder = RequestOptions.builder().maxTokens(2).ignoreEos(true);
    assertEquals(StatusCode.INVALID_ARGUMENT, assertThrows(GraftException.class, () -> builder.maxTokens(-2)).status());
    String text = assertThrows(GraftException.class, () -> builder.json("{\"temprature\": 1}")).getMessage();
    assertTrue(text.contains("temprature"), text);
    try (RequestOptions options = builder.build()) {
      assertEquals(2, Model.ENGINE.complete("What is", options).usage().completionTokens());
    }
    assertThrows(IllegalStateException.class, () -> builder.maxTokens(1));
    assertThrows(IllegalStateException.class, builder::build);
  }

  @Test
  void closedOptionsSaySo() {
    RequestOptions options = RequestOptions.builder().build();
    options.close();
    options.close();
    String text = assertThrows(IllegalStateException.class, () -> Model.ENGINE.submit("x", options)).getMessage();
    assertTrue(text.contains("closed"), text);
  }
}
