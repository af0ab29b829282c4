package graft;

import java.util.List;

/**
 * One thing that happened to a request. Never changes. {@link EventBuffer} is the way without making objects.
 *
 * @param kind what happened
 * @param tag the tag given to {@link Engine#submit(Input, RequestOptions, EventQueue, long)}; 0 without a queue
 * @param sequence which of the request's answers it belongs to, from 0
 * @param token the token's id; -1 when the event has none
 * @param text new text, whole characters; empty when there is none
 * @param logprob natural logarithm of the token's probability under the model, for requests with top logprobs; else 0
 * @param topLogprobs the most likely tokens at this step, most likely first; empty unless asked for
 * @param finishReason why the sequence ended; {@link FinishReason#NONE} on other events
 * @param usage counts of tokens so far
 * @param progress how much of the prompt has been read, in [0, 1]
 * @param isLast whether nothing more will come of the event's request, in all its answers
 * @param error the failure of an event of kind {@link EventKind#ERROR}; null on others
 */
public record Event(EventKind kind, long tag, long sequence, long token, String text, double logprob,
    List<TokenLogprob> topLogprobs, FinishReason finishReason, Usage usage, double progress, boolean isLast,
    GraftException error) {}
