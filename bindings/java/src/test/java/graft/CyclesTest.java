package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Opening, asking and closing, thousands of times, does not make the process grow. */
@EnabledIfSystemProperty(named = "graft.cycles", matches = "[1-9][0-9]*")
class CyclesTest {
  private static void cycle() {
    try (Engine engine = Engine.open(Model.PATH, Model.threads(1));
        RequestOptions options = RequestOptions.builder().greedy(true).maxTokens(1).build();
        Request request = engine.submit("What is", options)) {
      assertEquals(1, request.complete().usage().completionTokens());
      assertTrue(engine.shutdown(null));
    }
  }

  private static long residentKilobytes() throws Exception {
    for (int i = 0; i < 5; ++i) {
      System.gc();
      Thread.sleep(100);
    }
    // What the C allocator keeps for later is no leak. It needs Java 17.0.9 or later.
    ManagementFactory.getPlatformMBeanServer().invoke(new ObjectName("com.sun.management:type=DiagnosticCommand"),
        "systemTrimNativeHeap", new Object[0], new String[0]);
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) return Long.parseLong(line.replaceAll("[^0-9]", ""));
    }
    throw new IllegalStateException("/proc/self/status has no VmRSS");
  }

  @Test
  void memoryStays() throws Exception {
    int cycles = Integer.getInteger("graft.cycles");
    for (int i = 0; i < cycles / 10; ++i) cycle();
    long early = residentKilobytes();
    for (int i = cycles / 10; i < cycles; ++i) cycle();
    long late = residentKilobytes();
    System.out.printf("resident after %d cycles %d kB, after %d %d kB: %+.2f %%%n", cycles / 10, early, cycles, late,
        100.0 * (late - early) / early);
    assertTrue(late < early * 1.01, "grew from " + early + " to " + late + " kB");
  }
}
