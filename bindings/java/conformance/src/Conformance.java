import graft.GraftException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The conformance driver in Java: ../../conformance/README.md says what it prints. */
public final class Conformance {
  /** What a kind does; the result is the outcome, and so is a GraftException. */
  interface Kind {
    String run(Case c) throws Exception;
  }

  private static final Map<String, Kind> KINDS = new HashMap<>();

  static {
    TextKinds.addTo(KINDS);
    GenerateKinds.addTo(KINDS);
    LifetimeKinds.addTo(KINDS);
    OptionKinds.addTo(KINDS);
    QueueKinds.addTo(KINDS);
  }

  private Conformance() {}

  static String failure(GraftException failure) {
    return failure.status() + " " + failure.getMessage();
  }

  private static String outcome(Case c) {
    Kind kind = KINDS.get(c.kind);
    if (kind == null) throw new IllegalArgumentException(c.name + ": no kind \"" + c.kind + '"');
    try {
      return kind.run(c);
    } catch (GraftException failure) {
      return failure(failure);
    } catch (Exception other) {
      other.printStackTrace();
      return "threw " + other;
    }
  }

  /**
   * Runs the table.
   *
   * @param arguments CASES MODEL EMBEDDING_MODEL SCRATCH [NAME...]
   * @throws Exception when the table cannot be read or has an unknown kind
   */
  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 4) {
      System.err.println("usage: run CASES MODEL EMBEDDING_MODEL SCRATCH [NAME...]");
      System.exit(2);
    }
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    Session session = new Session(arguments[1], arguments[2], arguments[3]);
    List<String> wanted = List.of(arguments).subList(4, arguments.length);
    for (String line : Files.readString(Path.of(arguments[0])).split("\n")) {
      if (line.isEmpty() || line.startsWith("#")) continue;
      Case c = new Case(session, line);
      if (!wanted.isEmpty() && !wanted.contains(c.name)) continue;
      out.print(c.name + "\t" + Case.escape(session.withNames(outcome(c))) + "\n");
      out.flush();
    }
  }
}
