package graft;

/**
 * One of the most likely tokens at a step.
 *
 * @param token its id
 * @param logprob natural logarithm of its probability under the model
 */
public record TokenLogprob(long token, double logprob) {}
