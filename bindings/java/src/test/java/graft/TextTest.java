package graft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextTest {
  private final Tokenizer tokenizer = Tokenizer.open(Model.PATH);

  @Test
  void textComesBackWhole() {
    for (String text : List.of("", "plain", "äöü Ω Ж", "日本語 € \uFFFD", "\uD83D\uDE00 \uDBFF\uDFFF", "a\0b\0", "\r\n\t\u001F",
        "x".repeat(5000) + "\uD83D\uDE00")) {
      assertEquals(text, tokenizer.decode(tokenizer.encode(text), false));
    }
  }

  @Test
  void halfASurrogatePairIsRefused() {
    for (String text : List.of("a\uD83D", "\uDE00b", "\uD83D\uD83D\uDE00", "x\uDE00\uD83D")) {
      GraftException failure = assertThrows(GraftException.class, () -> tokenizer.encode(text));
      assertEquals(StatusCode.INVALID_ARGUMENT, failure.status());
      assertTrue(failure.getMessage().contains("surrogate"), failure.getMessage());
    }
  }

  @Test
  void failuresCarryStatusAndText() {
    GraftException failure = assertThrows(GraftException.class, () -> Tokenizer.open(Path.of("/keine/\uD83C\uDF31")));
    assertEquals(StatusCode.NOT_FOUND, failure.status());
    assertEquals(3, failure.code());
    assertTrue(failure.getMessage().contains("/keine/\uD83C\uDF31"), failure.getMessage());
    assertTrue(failure.toString().startsWith("graft.GraftException: NOT_FOUND: "), failure.toString());
    assertEquals(StatusCode.UNKNOWN, new GraftException(1234, "later").status());
    assertEquals(1234, new GraftException(1234, "later").code());
  }

  @Test
  void statusCodesAreTheLibrarysOnes() {
    for (StatusCode code : StatusCode.values()) {
      String name = Utf8.text(Raw.graft_status_name(code == StatusCode.UNKNOWN ? 9999 : code.ordinal()));
      assertEquals(code.name(), name);
    }
  }

  @Test
  void piecesAndIds() {
    assertEquals(896, tokenizer.vocabSize());
    assertEquals(635, tokenizer.idOf("Hi"));
    assertEquals("Hi", tokenizer.piece(635));
    assertEquals(StatusCode.NOT_FOUND, assertThrows(GraftException.class, () -> tokenizer.idOf("no such piece")).status());
    assertEquals("Hi you", tokenizer.decode(635, 382));
    assertThrows(GraftException.class, () -> tokenizer.decode(-1));
  }

  @Test
  void aDecoderHoldsHalfCharactersBack() {
    long[] ids = tokenizer.encode("\uD83D\uDE00!");
    try (Decoder decoder = tokenizer.decoder(true)) {
      StringBuilder text = new StringBuilder();
      for (long id : ids) {
        String piece = decoder.push(id);
        assertTrue(piece.isEmpty() || !piece.contains("\uFFFD"), piece);
        text.append(piece);
      }
      assertEquals("\uD83D\uDE00!", text + decoder.finish());
    }
  }

  @Test
  void messagesBecomeJson() {
    assertEquals("[{\"role\":\"user\",\"content\":\"\\\"\\\\\\u000a\\u0000√\"}]",
        Message.json(List.of(new Message("user", "\"\\\n\0√"))));
    List<Message> messages = List.of(new Message("user", "a \"b\"\n\0 \uD83D\uDE00"));
    assertTrue(tokenizer.applyChatTemplate(messages).contains("a \"b\"\n\0 \uD83D\uDE00"));
  }

  @Test
  void manyIdsOfOneText() {
    long[] ids = tokenizer.encode("The quick brown fox. ".repeat(400), true);
    assertTrue(ids.length > 1000);
    assertArrayEquals(ids, tokenizer.encode("The quick brown fox. ".repeat(400), true));
  }
}
