package graft;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * An event that is refilled again and again: the way through a stream that makes no objects, save the text when it is asked
 * for as a string. Made once, given to {@link Request#next(EventBuffer, java.time.Duration)} or {@link
 * EventQueue#next(EventBuffer, java.time.Duration)}. One thread at a time. What it says stays until it is refilled, also
 * after it was closed.
 */
public final class EventBuffer implements AutoCloseable {
  // The places in numbers; native/events.c has the same.
  private static final int KIND = 0;
  private static final int TAG = 1;
  private static final int SEQUENCE = 2;
  private static final int TOKEN = 3;
  private static final int LOGPROB = 4;
  private static final int FINISH = 5;
  private static final int PROMPT = 6;
  private static final int COMPLETION = 7;
  private static final int CACHED = 8;
  private static final int PROGRESS = 9;
  private static final int STATUS = 10;
  private static final int TOP = 11;
  private static final int TEXT = 12;
  private static final int LAST = 13;
  private static final int NUMBERS = 14;

  private final Handle handle;
  private final long[] numbers = new long[NUMBERS];
  private byte[] text = new byte[256];
  private long[] top = {};
  private GraftException error;

  /**
   * Makes an empty one.
   *
   * @throws GraftException OUT_OF_MEMORY
   */
  public EventBuffer() {
    handle = new Handle(this, "event buffer", Raw.graft_event_new(), Raw::graft_event_free);
    numbers[KIND] = RawConstants.GRAFT_EVENT_NONE;
    numbers[TOKEN] = -1;
  }

  private static native int nextOfRequest(long request, long timeoutMs, long event, long[] numbers, byte[] text);

  private static native int nextOfQueue(long queue, long timeoutMs, long event, long[] numbers, byte[] text);

  synchronized int refill(Handle source, boolean isQueue, long timeoutMs) {
    long event = handle.enter();
    try {
      long pointer = source.enter();
      int status;
      try {
        status = isQueue ? nextOfQueue(pointer, timeoutMs, event, numbers, text)
            : nextOfRequest(pointer, timeoutMs, event, numbers, text);
      } finally {
        // A queue that was closed meanwhile wakes one waiting thread; each wakes the next as it leaves.
        if (isQueue && source.isClosed()) Raw.graft_queue_wake(pointer);
        source.leave();
      }
      if (status == RawConstants.GRAFT_STATUS_OK) takeRest(event);
      return status;
    } finally {
      handle.leave();
    }
  }

  /** What does not fit into the arrays; nothing for most events. */
  private void takeRest(long event) {
    if (numbers[TEXT] > text.length) text = Raw.graft_event_text(event);
    int count = (int) numbers[TOP];
    if (count > 0) {
      if (top.length != 2 * count) top = new long[2 * count];
      Raw.graft_event_top_logprobs(event, top);
    }
    error = numbers[KIND] == RawConstants.GRAFT_EVENT_ERROR
        ? new GraftException((int) numbers[STATUS], Utf8.text(Raw.graft_event_message(event))) : null;
  }

  /**
   * Whether it was filled.
   *
   * @return false for a new buffer
   */
  public boolean isFilled() {
    return numbers[KIND] != RawConstants.GRAFT_EVENT_NONE;
  }

  /**
   * What happened.
   *
   * @return the kind; {@link EventKind#UNKNOWN} for a new buffer
   */
  public EventKind kind() {
    return EventKind.of(numbers[KIND]);
  }

  /**
   * Which request it is.
   *
   * @return the tag given at submit
   */
  public long tag() {
    return numbers[TAG];
  }

  /**
   * Which of the request's answers it belongs to.
   *
   * @return 0 to the number of sequences - 1
   */
  public long sequence() {
    return numbers[SEQUENCE];
  }

  /**
   * The token.
   *
   * @return its id; -1 when the event has none
   */
  public long token() {
    return numbers[TOKEN];
  }

  /**
   * The new text.
   *
   * @return whole characters; empty when there is none
   */
  public String text() {
    int size = textSize();
    return size == 0 ? "" : new String(text, 0, size, StandardCharsets.UTF_8);
  }

  /**
   * Size of the text as UTF-8.
   *
   * @return bytes
   */
  public int textSize() {
    return Math.min((int) numbers[TEXT], text.length);
  }

  /**
   * Copies the text as UTF-8, making nothing.
   *
   * @param target where to
   * @param offset first byte to write
   * @return bytes written
   * @throws IndexOutOfBoundsException when {@link #textSize()} bytes have no room
   */
  public int copyText(byte[] target, int offset) {
    int size = textSize();
    System.arraycopy(text, 0, target, offset, size);
    return size;
  }

  /**
   * How likely the token was.
   *
   * @return natural logarithm of its probability, for requests with top logprobs; else 0
   */
  public double logprob() {
    return Double.longBitsToDouble(numbers[LOGPROB]);
  }

  /**
   * The most likely tokens at this step, most likely first.
   *
   * @return empty unless the request asked for them
   */
  public List<TokenLogprob> topLogprobs() {
    int count = Math.min((int) numbers[TOP], top.length / 2);
    if (count == 0) return List.of();
    List<TokenLogprob> all = new ArrayList<>(count);
    for (int i = 0; i < count; ++i) all.add(new TokenLogprob(top[i], Double.longBitsToDouble(top[count + i])));
    return List.copyOf(all);
  }

  /**
   * Why the sequence ended.
   *
   * @return {@link FinishReason#NONE} unless the event is {@link EventKind#FINISHED}
   */
  public FinishReason finishReason() {
    return FinishReason.of(numbers[FINISH]);
  }

  /**
   * Counts of tokens so far.
   *
   * @return the counts
   */
  public Usage usage() {
    return new Usage(numbers[PROMPT], numbers[COMPLETION], numbers[CACHED]);
  }

  /**
   * How much of the prompt has been read.
   *
   * @return in [0, 1]
   */
  public double progress() {
    return Double.longBitsToDouble(numbers[PROGRESS]);
  }

  /**
   * Whether the request is over, in all its answers: how the reader of a queue learns it.
   *
   * @return true when nothing more will come of the event's request
   */
  public boolean isLast() {
    return numbers[LAST] != 0;
  }

  /**
   * The failure of an event of kind {@link EventKind#ERROR}.
   *
   * @return null on other events
   */
  public GraftException error() {
    return error;
  }

  /**
   * What it says now, as an object that stays.
   *
   * @return a copy
   */
  public Event toEvent() {
    return new Event(kind(), tag(), sequence(), token(), text(), logprob(), topLogprobs(), finishReason(), usage(),
        progress(), isLast(), error);
  }

  /** Releases the native event. Never blocks; optional. */
  @Override
  public void close() {
    handle.close();
  }
}
