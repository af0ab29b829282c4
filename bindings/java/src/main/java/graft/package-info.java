/**
 * Graft: Hugging Face transformers inside a Java process.
 *
 * <pre>{@code
 * try (Engine engine = Engine.open(Path.of("path/to/model"));
 *     Request request = engine.submit("Why is the sky blue?")) {
 *   request.text().forEach(System.out::print);
 * }
 * }</pre>
 *
 * <p>Rules that hold everywhere:
 *
 * <ul>
 *   <li>What fails throws {@link graft.GraftException}, with the status and the library's own text.
 *   <li>Objects that hold native memory are {@link AutoCloseable}. {@code close} never blocks, may be called twice and on
 *       any thread, also while another thread is inside a call: that call ends as it would have. Later calls throw {@link
 *       IllegalStateException} with "closed" in its text. An object that is never closed is released when it is collected.
 *   <li>Objects keep alive what they need: close them in any order.
 *   <li>Classes say whether several threads may use one object at once. Where they say no, doing it all the same gives
 *       answers in no useful order, but harms nothing.
 *   <li>Text is UTF-8 on the other side. A string with half a surrogate pair is no text and refused with {@link
 *       graft.StatusCode#INVALID_ARGUMENT}.
 *   <li>An argument that is {@code null} where that is not offered throws {@link NullPointerException}.
 * </ul>
 */
package graft;
