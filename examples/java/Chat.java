// A chat in the terminal; README.md says how to use it.
import graft.Engine;
import graft.Event;
import graft.EventKind;
import graft.FinishReason;
import graft.GraftException;
import graft.Message;
import graft.Request;
import graft.RequestOptions;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import sun.misc.Signal;

final class Chat {
  private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
  /** The answer that Ctrl-C cancels. */
  private static final AtomicReference<Request> ANSWERING = new AtomicReference<>();

  private final Engine engine;
  private final RequestOptions options;
  private final List<Message> conversation = new ArrayList<>();

  private Chat(Engine engine, RequestOptions options) {
    this.engine = engine;
    this.options = options;
  }

  private static void say(String text) {
    OUT.print(text);
    OUT.flush();
  }

  private void answer(String question) {
    conversation.add(new Message("user", question));
    StringBuilder answer = new StringBuilder();
    try (Request request = engine.submit(conversation, options)) {
      ANSWERING.set(request);
      for (Event event : request) {
        say(event.text());
        answer.append(event.text());
        if (event.kind() == EventKind.FINISHED && event.finishReason() == FinishReason.CANCELLED) say(" [cancelled]");
      }
      conversation.add(new Message("assistant", answer.toString()));
    } catch (GraftException failure) {
      say("[" + failure.status() + ": " + failure.getMessage() + "]");
      conversation.remove(conversation.size() - 1);
    } finally {
      ANSWERING.set(null);
    }
    say("\n");
  }

  private void run() throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    while (true) {
      say("> ");
      String line = in.readLine();
      if (line == null || line.equals("/quit")) break;
      if (line.equals("/new")) {
        conversation.clear();
      } else if (!line.isBlank()) {
        answer(line);
      }
    }
  }

  public static void main(String[] arguments) throws IOException {
    if (arguments.length < 1 || arguments.length > 2) {
      System.err.println("usage: chat MODEL [OPTIONS]");
      System.exit(2);
    }
    Signal.handle(new Signal("INT"), signal -> {
      Request request = ANSWERING.get();
      if (request == null) System.exit(130);
      request.cancel();
    });
    try (RequestOptions options = RequestOptions.builder().json(arguments.length > 1 ? arguments[1] : "{}").build();
        Engine engine = Engine.open(arguments[0])) {
      new Chat(engine, options).run();
    } catch (GraftException failure) {
      System.err.println(failure.status() + ": " + failure.getMessage());
      System.exit(1);
    }
  }
}
