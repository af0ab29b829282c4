package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said where the native libraries are not: in a process of its own each time. */
class LoaderTest {
  private static final Path LIBRARIES = Path.of(System.getProperty("graft.library.path"));

  /** The other process. */
  static final class Other {
    public static void main(String[] arguments) {
      System.out.println(Graft.version() + " " + Graft.abiVersion());
    }
  }

  private static String run(int status, String... options) throws Exception {
    List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Other.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(status, process.exitValue(), output);
    return output;
  }

  private static void assertExplained(String output, String... parts) {
    assertTrue(output.contains("UnsatisfiedLinkError: Graft: the native libraries could not be loaded"), output);
    for (String part : parts) assertTrue(output.contains(part), output);
  }

  @Test
  void aDirectoryOfTheUsers() throws Exception {
    assertEquals("0.1.0 1", run(0, "-Dgraft.library.path=" + LIBRARIES).strip());
  }

  @Test
  void aDirectoryThatIsNotThere(@TempDir Path empty) throws Exception {
    assertExplained(run(1, "-Dgraft.library.path=" + empty), empty.toString(), "libgraft_java.so does not exist");
  }

  @Test
  void theGlueWithoutTheLibrary(@TempDir Path directory) throws Exception {
    Files.copy(LIBRARIES.resolve("libgraft_java.so"), directory.resolve("libgraft_java.so"));
    assertExplained(run(1, "-Dgraft.library.path=" + directory), "libgraft.so.1 does not exist");
  }

  @Test
  void aLibraryThatIsNone(@TempDir Path directory) throws Exception {
    Files.copy(LIBRARIES.resolve("libgraft_java.so"), directory.resolve("libgraft_java.so"));
    Files.writeString(directory.resolve("libgraft.so.1"), "no library");
    assertExplained(run(1, "-Dgraft.library.path=" + directory), "libgraft.so.1", "Needed: ");
  }

  @Test
  void thePathOfTheLoader(@TempDir Path empty) throws Exception {
    assertEquals("0.1.0 1", run(0, "-Djava.library.path=" + LIBRARIES).strip());
    assertExplained(run(1, "-Djava.library.path=" + empty), "java.library.path (" + empty + ")", "graft.library.path");
  }
}
