package graft;

import java.util.List;
import java.util.Objects;

/**
 * One message of a conversation.
 *
 * @param role "system", "user", "assistant", or what else the model's template knows
 * @param content the text
 */
public record Message(String role, String content) {
  /**
   * Makes a message.
   *
   * @param role not null
   * @param content not null
   */
  public Message {
    Objects.requireNonNull(role);
    Objects.requireNonNull(content);
  }

  /** The messages as the JSON array that the library takes. */
  static String json(List<Message> messages) {
    StringBuilder out = new StringBuilder("[");
    for (Message message : messages) {
      if (out.length() > 1) out.append(',');
      out.append("{\"role\":");
      quote(out, message.role);
      out.append(",\"content\":");
      quote(out, message.content);
      out.append('}');
    }
    return out.append(']').toString();
  }

  private static void quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); ++i) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
