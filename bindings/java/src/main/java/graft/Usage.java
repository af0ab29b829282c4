package graft;

/**
 * Counts of tokens.
 *
 * @param promptTokens tokens that went in
 * @param completionTokens tokens generated so far
 * @param cachedTokens tokens of the prompt that were found in the cache
 */
public record Usage(long promptTokens, long completionTokens, long cachedTokens) {}
