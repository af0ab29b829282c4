using System;

namespace Graft {

/// <summary>Durations as the library takes them: milliseconds, -1 for ever.</summary>
internal static class Time {
  internal static long Milliseconds(TimeSpan timeout) {
    if (timeout == System.Threading.Timeout.InfiniteTimeSpan) return -1;
    if (timeout < TimeSpan.Zero) throw new ArgumentOutOfRangeException(nameof(timeout), "negative, and not Timeout.InfiniteTimeSpan");
    return (long)Math.Ceiling(timeout.TotalMilliseconds);
  }
}

}
