package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CallbackTest {
  /** Warns through the log. */
  private static void warn() {
    EngineOptions.builder().json("{\"replace_method\": \"auto\"}").build().close();
  }

  @AfterEach
  void stderrAgain() {
    Graft.log(null);
    Graft.logLevel(LogLevel.WARNING);
  }

  @Test
  void logLinesArrive() {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    Graft.log((level, message) -> lines.add(level + " " + message));
    warn();
    assertFalse(lines.isEmpty());
    assertTrue(lines.get(0).startsWith("WARNING ") && lines.get(0).contains("replace_method"), lines.get(0));
    lines.clear();
    Graft.logLevel(LogLevel.OFF);
    warn();
    assertTrue(lines.isEmpty());
    assertThrows(GraftException.class, () -> Graft.logLevel(LogLevel.UNKNOWN));
  }

  private static native void warnFromAThreadOfC();

  @Test
  void linesOfThreadsThatJavaDoesNotKnowArrive() {
    List<String> threads = Collections.synchronizedList(new ArrayList<>());
    Graft.log((level, message) -> {
      threads.add(Thread.currentThread().getName() + (Thread.currentThread().isDaemon() ? " daemon" : ""));
      throw new IllegalArgumentException("thrown by the test");
    });
    System.load(System.getProperty("graft.library.path") + "/libgraft_java_test.so");
    int before = Thread.activeCount();
    for (int i = 0; i < 100; ++i) warnFromAThreadOfC();
    assertEquals(100, threads.size());
    assertEquals("graft daemon", threads.get(0));
    assertTrue(Thread.activeCount() < before + 50, "threads stay attached");
  }

  @Test
  void whatALogListenerThrowsIsDropped() {
    List<String> lines = new ArrayList<>();
    Graft.log((level, message) -> {
      lines.add(message);
      throw new IllegalArgumentException("thrown by the test");
    });
    warn();
    assertFalse(lines.isEmpty());
    Graft.log((level, message) -> {
      throw new StackOverflowError("thrown by the test");
    });
    warn();
  }

  @Test
  void aListenerMayCallGraft() {
    List<Long> sizes = new ArrayList<>();
    Graft.log((level, message) -> {
      try (Tokenizer tokenizer = Tokenizer.open(Model.PATH)) {
        sizes.add(tokenizer.vocabSize());
        assertThrows(GraftException.class, () -> tokenizer.decode(-1));
      }
    });
    warn();
    assertEquals(896, sizes.get(0));
  }

  @Test
  void progressRisesToOne() {
    List<Double> fractions = new ArrayList<>();
    List<String> what = new ArrayList<>();
    Thread here = Thread.currentThread();
    EngineOptions options = EngineOptions.builder().threads(1).progress((fraction, doing) -> {
      assertSame(here, Thread.currentThread());
      fractions.add(fraction);
      what.add(doing);
      return true;
    }).build();
    Engine.open(Model.PATH, options).close();
    assertEquals(fractions.stream().sorted().toList(), fractions);
    assertEquals(1.0, fractions.get(fractions.size() - 1));
    assertFalse(what.get(0).isEmpty());
  }

  @Test
  void progressCancels() {
    EngineOptions options = EngineOptions.builder().threads(1).progress((fraction, doing) -> false).build();
    GraftException failure = assertThrows(GraftException.class, () -> Engine.open(Model.PATH, options));
    assertEquals(StatusCode.CANCELLED, failure.status());
  }

  @Test
  void whatAProgressListenerThrowsComesOutOfOpen() {
    RuntimeException thrown = new RuntimeException("thrown by the test");
    EngineOptions options = EngineOptions.builder().threads(1).progress((fraction, doing) -> {
      throw thrown;
    }).build();
    assertSame(thrown, assertThrows(RuntimeException.class, () -> Engine.open(Model.PATH, options)));
    Error error = new AssertionError("thrown by the test");
    EngineOptions others = EngineOptions.builder().threads(1).progress((fraction, doing) -> {
      throw error;
    }).build();
    assertSame(error, assertThrows(AssertionError.class, () -> Engine.open(Model.PATH, others)));
    Engine.open(Model.PATH, Model.threads(1)).close(); // nothing of it is left
  }
}
