import graft.Decoder;
import graft.Engine;
import graft.Graft;
import graft.Tokenizer;
import java.util.Map;
import java.util.StringJoiner;

/** Versions, opening, tokenizers and templates. */
final class TextKinds {
  private TextKinds() {}

  static void addTo(Map<String, Conformance.Kind> kinds) {
    kinds.put("abi", c -> Integer.toString(Graft.abiVersion()));
    kinds.put("version", c -> Graft.version());
    kinds.put("doctor", c -> contains(c, Graft.doctor()));
    kinds.put("open", c -> {
      Session.open(c.text("path"), c.optional("engine")).close();
      return "ok";
    });
    kinds.put("inspect", c -> contains(c, Engine.inspect(c.text("path"), graft.EngineOptions.builder().build())));
    kinds.put("info", c -> Session.withEngine(c, engine -> contains(c, engine.info())));
    kinds.put("stats", c -> Session.withEngine(c, engine -> contains(c, engine.stats())));
    kinds.put("tokenizer", c -> {
      try (Tokenizer tokenizer = Tokenizer.open(c.text("path"))) {
        return "vocab=" + tokenizer.vocabSize();
      }
    });
    kinds.put("encode", c -> {
      StringJoiner ids = new StringJoiner(" ");
      for (long id : c.session.tokenizer().encode(c.text("text"), c.number("special", 1) != 0)) ids.add(Long.toString(id));
      return ids.toString();
    });
    kinds.put("decode", c -> c.session.tokenizer().decode(c.numbers("tokens"), c.number("skip", 1) != 0));
    kinds.put("roundtrip", c -> {
      Tokenizer tokenizer = c.session.tokenizer();
      String found = tokenizer.decode(tokenizer.encode(c.text("text"), false), false);
      return found.equals(c.text("text")) ? "same" : found;
    });
    kinds.put("piece", c -> c.session.tokenizer().piece(c.number("token", 0)));
    kinds.put("id_of", c -> Long.toString(c.session.tokenizer().idOf(c.text("piece"))));
    kinds.put("decoder", c -> {
      StringBuilder pieces = new StringBuilder();
      try (Decoder decoder = c.session.tokenizer().decoder(c.number("skip", 1) != 0)) {
        for (long id : c.numbers("tokens")) pieces.append(decoder.push(id)).append('|');
        return pieces.append(decoder.finish()).append('|').toString();
      }
    });
    kinds.put("template",
        c -> c.session.tokenizer().applyChatTemplate(c.text("messages"), c.optional("template_options")));
  }

  private static String contains(Case c, String json) {
    return json.contains(c.text("contains")) ? "yes" : "no";
  }
}
