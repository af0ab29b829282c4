import java.util.LinkedHashMap;
import java.util.Map;

/** One line of the table: its name, its kind, its keys, and how values are escaped. */
final class Case {
  final String name;
  final String kind;
  final Session session;
  private final Map<String, String> values = new LinkedHashMap<>();

  Case(Session session, String line) {
    String[] fields = line.split("\t");
    this.session = session;
    name = fields[0];
    kind = fields[1];
    for (int i = 2; i < fields.length; ++i) {
      int at = fields[i].indexOf('=');
      values.put(fields[i].substring(0, at), session.withPaths(unescape(fields[i].substring(at + 1))));
    }
  }

  /** null when the table does not give it. */
  String optional(String key) {
    return values.get(key);
  }

  String text(String key) {
    return values.getOrDefault(key, "");
  }

  long number(String key, long otherwise) {
    String found = values.get(key);
    return found == null ? otherwise : Long.parseLong(found);
  }

  long[] numbers(String key) {
    String found = text(key).strip();
    if (found.isEmpty()) return new long[0];
    String[] words = found.split(" +");
    long[] numbers = new long[words.length];
    for (int i = 0; i < words.length; ++i) numbers[i] = Long.parseLong(words[i]);
    return numbers;
  }

  private static String unescape(String escaped) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < escaped.length(); ++i) {
      char c = escaped.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      switch (escaped.charAt(++i)) {
        case '\\' -> out.append('\\');
        case 'n' -> out.append('\n');
        case 'r' -> out.append('\r');
        case 't' -> out.append('\t');
        case '0' -> out.append('\0');
        case 'u' -> {
          int end = escaped.indexOf('}', i);
          out.appendCodePoint(Integer.parseInt(escaped.substring(i + 2, end), 16));
          i = end;
        }
        default -> throw new IllegalArgumentException("the table has no such escape: " + escaped);
      }
    }
    return out.toString();
  }

  static String escape(String text) {
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t").replace("\0", "\\0");
  }
}
