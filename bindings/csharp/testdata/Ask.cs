using System;
using Graft;

/// <summary>ask MODEL QUESTION: the answer.</summary>
internal static class Ask {
  private static void Main(string[] arguments) {
    using (var engine = Engine.Open(arguments[0]))
    using (var question = Input.FromChat(new ChatMessage("user", arguments[1]))) {
      Console.WriteLine(engine.Generate(question, new RequestOptions { Greedy = true }).Text);
    }
  }
}
