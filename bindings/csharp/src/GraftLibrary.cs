using System;
using Graft.Raw;

namespace Graft {

/// <summary>Receives one log line.</summary>
/// <param name="level">Error to Debug.</param>
/// <param name="message">The line.</param>
/// <remarks>Called from any thread, possibly from several at once; it should return soon. What it throws is dropped.</remarks>
public delegate void LogHandler(LogLevel level, string message);

/// <summary>The native library: which version it is, what it found on this machine, and its log. Any thread may use it.</summary>
public static class GraftLibrary {
  // Native code keeps the pointer, and a line being written may still come after the handler was taken away.
  private static readonly ByHand.LogCallback OnLine = Receive;
  private static readonly object Gate = new object();
  private static volatile LogHandler handler;
  private static bool atExit;

  /// <summary>The release, "MAJOR.MINOR.PATCH".</summary>
  /// <exception cref="GraftException">NotFound, VersionMismatch: the native libraries.</exception>
  public static string Version {
    get {
      ByHand.EnsureLoaded();
      return graft_raw.graft_version();
    }
  }

  /// <summary>The version of the C interface; this assembly is for version 1.</summary>
  /// <exception cref="GraftException">NotFound, VersionMismatch: the native libraries.</exception>
  public static int AbiVersion {
    get {
      ByHand.EnsureLoaded();
      return graft_raw.graft_abi_version();
    }
  }

  /// <summary>What this machine offers, as a JSON object: versions, LibTorch, devices, kernels. The first call loads LibTorch.</summary>
  /// <returns>What is missing is a line of the answer, not a failure.</returns>
  public static string Doctor() {
    ByHand.EnsureLoaded();
    graft_raw.graft_doctor(out var json);
    return json;
  }

  /// <summary>Lets through log lines of this level and graver ones.</summary>
  /// <param name="level">Warning at first.</param>
  /// <exception cref="GraftException">InvalidArgument: not a level.</exception>
  public static void SetLogLevel(LogLevel level) {
    ByHand.EnsureLoaded();
    graft_raw.graft_log_set_level((int)level);
  }

  /// <summary>Sends log lines of the whole process to a handler.</summary>
  /// <param name="value">null brings stderr back.</param>
  public static void SetLogHandler(LogHandler value) {
    ByHand.EnsureLoaded();
    lock (Gate) {
      if (!atExit) AppDomain.CurrentDomain.ProcessExit += (sender, e) => SetLogHandler(null);  // no line into a runtime that ends
      atExit = true;
      handler = value;
      ByHand.graft_csharp_log_set_callback(value == null ? null : OnLine).Check();
    }
  }

  private static void Receive(IntPtr user, int level, IntPtr message) {
    try {
      handler?.Invoke((LogLevel)level, Utf8.Text(message));
    } catch (Exception) {
      // may not cross native frames, and there is nobody to tell
    }
  }
}

}
