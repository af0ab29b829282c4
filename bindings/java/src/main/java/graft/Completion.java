package graft;

import java.util.List;

/**
 * A whole answer.
 *
 * @param answers one for each sequence that was asked for, in their order; at least one
 */
public record Completion(List<Answer> answers) {
  /**
   * One sequence.
   *
   * @param text all of its text
   * @param finishReason why it ended
   * @param usage counts of tokens at its end
   */
  public record Answer(String text, FinishReason finishReason, Usage usage) {}

  /**
   * The text of the first answer.
   *
   * @return the text
   */
  public String text() {
    return answers.get(0).text();
  }

  /**
   * Why the first answer ended.
   *
   * @return the reason
   */
  public FinishReason finishReason() {
    return answers.get(0).finishReason();
  }

  /**
   * Counts of tokens at the end of the first answer.
   *
   * @return the counts
   */
  public Usage usage() {
    return answers.get(0).usage();
  }

  /** Puts answers together out of events. */
  static final class Collector {
    private static final class Part {
      final StringBuilder text = new StringBuilder();
      FinishReason reason = FinishReason.NONE;
      Usage usage = new Usage(0, 0, 0);
    }

    private final java.util.TreeMap<Long, Part> parts = new java.util.TreeMap<>();

    void add(EventBuffer event) {
      if (event.kind() == EventKind.PROGRESS) return;
      Part part = parts.computeIfAbsent(event.sequence(), n -> new Part());
      if (event.textSize() > 0) part.text.append(event.text());
      if (event.kind() != EventKind.FINISHED) return;
      part.reason = event.finishReason();
      part.usage = event.usage();
    }

    Completion completion() {
      if (parts.isEmpty()) parts.put(0L, new Part());
      return new Completion(
          parts.values().stream().map(p -> new Answer(p.text.toString(), p.reason, p.usage)).toList());
    }
  }
}
