using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Graft;

internal static class TextTests {
  [Test(Smoke = true)]
  public static void VersionAndDoctor() {
    Check.Equal(1, GraftLibrary.AbiVersion);
    Check.Equal(3, GraftLibrary.Version.Split('.').Length);
    Check.That(GraftLibrary.Doctor().Contains("\"core\""), "doctor");
  }

  [Test(Smoke = true)]
  public static void EveryCharacterPasses() {
    using (var tokenizer = Tokenizer.Open(Models.Chat)) {
      foreach (string text in new[] { "", "a", "\0", "a\0b\0", "äöü Ω", "日本語 €", "😀 \U0010FFFF 👩‍👧", new string('x', 5000) + "😀" }) {
        var ids = tokenizer.Encode(text, false);
        Check.Equal(text, tokenizer.Decode(ids, false), "round trip");
        var few = new long[3];
        Check.Equal((long)ids.Length, tokenizer.Encode(text, false, few), "count");
        Check.That(few.Take(Math.Min(3, ids.Length)).SequenceEqual(ids.Take(3)), "the first ids of " + ids.Length);
        Check.Equal((long)ids.Length, tokenizer.Encode(text, false, Span<long>.Empty), "count without room");
      }
    }
  }

  [Test(Smoke = true)]
  public static void UnpairedSurrogatesAreRefused() {
    using (var tokenizer = Tokenizer.Open(Models.Chat)) {
      foreach (string text in new[] { "\uD83D", "ab\uDE00", "\uD83Dx" }) {
        var e = Check.Fails(Status.InvalidArgument, () => tokenizer.Encode(text));
        Check.That(e.Message.StartsWith("text: ") && e.Message.Contains("index " + (text.Length == 3 ? 2 : 0)) || text == "\uD83Dx", e.Message);
      }
      Check.Fails(Status.InvalidArgument, () => tokenizer.Decode(new long[] { 1 << 30 }));
      Check.Fails(Status.InvalidArgument, () => Models.Question("\uDC00"));
      Check.Fails(Status.InvalidArgument, () => Policy.RowParallel("A", "b\0c"));
    }
  }

  [Test]
  public static void ErrorsCarryStatusAndText() {
    string missing = Path.Combine(Path.GetTempPath(), "graft-grün-🌱-missing");
    var e = Check.Fails(Status.NotFound, () => Engine.Open(missing));
    Check.That(e.Message.Contains(missing), e.Message);
    Check.Equal("NOT_FOUND", e.StatusName);
    Check.Equal("UNKNOWN", new GraftException((Status)99, "x").StatusName);
    Check.Equal(99, (int)new GraftException((Status)99, "x").Status);
    Check.Throws<ArgumentNullException>(() => Engine.Open(null));
    Check.Throws<ArgumentNullException>(() => Models.Engine.Submit((Input)null));
    Check.Throws<ArgumentOutOfRangeException>(() => Models.Engine.Wait(TimeSpan.FromSeconds(-3)));
  }

  [Test]
  public static void DecoderHoldsBackHalfCharacters() {
    using (var tokenizer = Tokenizer.Open(Models.Chat))
    using (var decoder = tokenizer.CreateDecoder()) {
      var pieces = tokenizer.Encode("😀", false).Select(decoder.Push).ToList();
      pieces.Add(decoder.Flush());
      Check.Equal("😀", string.Concat(pieces));
      Check.That(pieces.All(piece => piece.Length != 1), "half a character came out");
    }
  }

  [Test]
  public static void ChatTemplate() {
    using (var tokenizer = Models.Engine.OpenTokenizer()) {
      string text = tokenizer.ApplyChatTemplate(new[] { new ChatMessage("user", "say \"\\\n\u0001😀\"") });
      Check.That(text.Contains("say \"\\\n\u0001😀\""), text);
      Check.That(text != tokenizer.ApplyChatTemplate("[{\"role\":\"user\",\"content\":\"x\"}]", "{\"add_generation_prompt\":false}"), "options");
    }
  }

  [Test]
  public static void TensorsAreReadInPlace() {
    var values = new float[] { 1, 2, 3, 4, 5, 6 };
    using (var tensor = Tensor.FromFloats(values, 2, 3)) {
      Check.Equal(DType.Float32, tensor.DType);
      Check.That(tensor.Shape.SequenceEqual(new long[] { 2, 3 }), "shape");
      Check.Equal(24L, tensor.ByteSize);
      Check.Equal("cpu", tensor.Device);
      Check.Equal(21f, tensor.Read<float, float>(elements => {
        tensor.Dispose();  // while it is read: freed only afterwards
        GC.Collect();
        float sum = 0;
        foreach (float element in elements) sum += element;
        return sum;
      }));
      Check.Throws<ObjectDisposedException>(() => tensor.ToFloats());
    }
    using (var tensor = Tensor.FromFloats(values, 6)) {
      Check.That(tensor.ToFloats().SequenceEqual(values), "values");
      Check.Equal(24, tensor.ToBytes().Length);
      Check.Fails(Status.InvalidArgument, () => tensor.ToArray<long>());
      Check.Throws<CheckFailed>(() => tensor.Read<float, int>(elements => { throw new CheckFailed("mine"); }));
    }
    Check.Fails(Status.InvalidArgument, () => Tensor.FromFloats(values, 7));
    using (var empty = Tensor.FromFloats(new float[0], 0, 3)) Check.Equal(0, empty.ToFloats().Length);
  }
}
