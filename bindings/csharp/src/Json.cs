using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Graft {

/// <summary>The little JSON that is written here; netstandard2.0 brings no writer.</summary>
internal static class Json {
  internal static string Messages(IEnumerable<ChatMessage> messages) {
    if (messages == null) throw new ArgumentNullException(nameof(messages));
    var json = new StringBuilder("[");
    foreach (var message in messages) {
      if (message == null) throw new ArgumentNullException(nameof(messages));
      if (json.Length > 1) json.Append(',');
      json.Append("{\"role\":");
      Quote(json, message.Role);
      json.Append(",\"content\":");
      Quote(json, message.Content);
      json.Append('}');
    }
    return json.Append(']').ToString();
  }

  private static void Quote(StringBuilder json, string text) {
    json.Append('"');
    foreach (char c in text) {
      if (c == '"' || c == '\\') json.Append('\\').Append(c);
      else if (c < ' ') json.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
      else json.Append(c);
    }
    json.Append('"');
  }
}

}
