using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Graft;

/// <summary>The library, opening, text.</summary>
internal static class TextKinds {
  internal static void Add(IDictionary<string, Func<Case, string>> kinds) {
    kinds["abi"] = c => GraftLibrary.AbiVersion.ToString(CultureInfo.InvariantCulture);
    kinds["version"] = c => GraftLibrary.Version;
    kinds["doctor"] = c => Contains(c, GraftLibrary.Doctor());
    kinds["open"] = Open;
    kinds["inspect"] = c => Contains(c, Engine.Inspect(c.Text("path"), Options(c)));
    kinds["info"] = c => Contains(c, c.Session.Engine.Info());
    kinds["stats"] = c => Contains(c, c.Session.Engine.Stats());
    kinds["tokenizer"] = OpenTokenizer;
    kinds["encode"] = c => string.Join(" ", c.Session.Tokenizer.Encode(c.Text("text"), c.Number("special", 1) == 1));
    kinds["decode"] = c => c.Session.Tokenizer.Decode(c.Numbers("tokens"), c.Number("skip", 1) == 1);
    kinds["roundtrip"] = RoundTrip;
    kinds["piece"] = c => c.Session.Tokenizer.PieceOf(c.Number("token", 0));
    kinds["id_of"] = c => c.Session.Tokenizer.IdOf(c.Text("piece")).ToString(CultureInfo.InvariantCulture);
    kinds["decoder"] = Decode;
    kinds["template"] = c => c.Session.Tokenizer.ApplyChatTemplate(c.Text("messages"), c.Text("template_options", null));
  }

  private static EngineOptions Options(Case c) => new EngineOptions { Json = c.Has("engine") ? c.Text("engine") : null };

  private static string Contains(Case c, string json) => json.Contains(c.Text("contains")) ? "yes" : "no";

  private static string Open(Case c) {
    Engine.Open(c.Text("path"), Options(c)).Dispose();
    return "ok";
  }

  private static string OpenTokenizer(Case c) {
    using (var tokenizer = Tokenizer.Open(c.Text("path"))) return "vocab=" + tokenizer.VocabularySize;
  }

  private static string RoundTrip(Case c) {
    var tokenizer = c.Session.Tokenizer;
    string back = tokenizer.Decode(tokenizer.Encode(c.Text("text"), false), false);
    return string.Equals(back, c.Text("text"), StringComparison.Ordinal) ? "same" : back;
  }

  private static string Decode(Case c) {
    var text = new StringBuilder();
    using (var decoder = c.Session.Tokenizer.CreateDecoder(c.Number("skip", 1) == 1)) {
      foreach (long token in c.Numbers("tokens")) text.Append(decoder.Push(token)).Append('|');
      text.Append(decoder.Flush()).Append('|');
    }
    return text.ToString();
  }
}
